/** Lets other calls have the event loop between the stages of a large turn. */
import type { Runtime } from '../runtime.ts'

/** UTF-16 units. A stage of a smaller message takes a few milliseconds at most. */
const largeMessage = 16 * 1024

/** Ends a stage of the turn: the next one begins at once, or behind other calls if the message is large. */
export function endStage({ body }: { readonly body: string }, { letOthersRun }: Runtime): Promise<void> | undefined {
	return body.length > largeMessage ? letOthersRun() : undefined
}
