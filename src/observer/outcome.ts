/** How a turn ended, in one word. */
import type { TurnOutcome } from './observer.ts'

/** `held`: the user got the holding reply; `duplicate`: the call came before, and got the same answer. */
export type Outcome = 'answered' | 'held' | 'duplicate' | 'failed'

/** The outcome of a turn, or of a reply that a backend sent by itself. */
export function outcomeOf({ error, duplicate, held }: TurnOutcome): Outcome {
	if (error !== undefined) return 'failed'
	if (duplicate) return 'duplicate'
	return held ? 'held' : 'answered'
}
