/** Lets other calls have the event loop between the stages of a large turn. */
import { bodyAsJson } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'

/** UTF-16 units. A stage of a smaller message takes a few milliseconds at most. */
const largeMessage = 16 * 1024

/** Ends a stage of the turn: the next one begins at once, or behind other calls if the message is large. */
export function endStage({ body }: { readonly body: string }, { letOthersRun }: Runtime): Promise<void> | undefined {
	return body.length > largeMessage ? letOthersRun() : undefined
}

/** Parses the body of a large message in a stage of its own. Decoding it then takes the value, or throws the error. */
export function parseAhead(message: { readonly body: string }, runtime: Runtime): Promise<void> | undefined {
	if (message.body.length <= largeMessage) return undefined
	try {
		bodyAsJson(message)
	} catch {
		// It may be no JSON at all, such as a form.
	}
	return runtime.letOthersRun()
}
