/** When an event is tried next, and when no more: arithmetic alone, so that it can be told of any history. */

/** The part of a wait by which chance makes it longer or shorter. */
const jitter = 0.2

export interface Schedule {
	/** Milliseconds before each attempt, the first one included. */
	readonly schedule: readonly number[]
	/** Milliseconds after its acceptance from which a failed attempt is the last one. */
	readonly expiry: number
}

/** When the first attempt is due. */
export function firstAttempt({ schedule }: Schedule, now: number, chance: number): number {
	return now + spread(schedule[0] ?? 0, chance)
}

/**
 * When the next attempt is due after this many have failed; undefined: never, the event is a dead letter. `chance` is
 * from 0 to 1.
 */
export function nextAttempt(
	{ schedule, expiry }: Schedule,
	{ attempts, acceptedAt }: { readonly attempts: number; readonly acceptedAt: number },
	now: number,
	chance: number,
): number | undefined {
	const wait = schedule[attempts]
	if (wait === undefined || now - acceptedAt >= expiry) return undefined
	return now + spread(wait, chance)
}

/** The longest that any event may have to wait for its next attempt. */
export function longestWait({ schedule }: Schedule): number {
	return spread(Math.max(...schedule), 1)
}

function spread(wait: number, chance: number): number {
	return Math.round(wait * (1 - jitter + 2 * jitter * chance))
}
