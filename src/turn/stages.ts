/** Lets other calls have the event loop between the stages of a large turn. */
import { bodyAsJson, longestReparsed } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'

/** Whether a message is so large that other calls are to run between its stages. A stage of a smaller one takes a few milliseconds at most. */
export function isLarge({ body }: { readonly body: string }): boolean {
	return body.length > longestReparsed
}

/** Parses the body of a large message in a stage of its own. Decoding it then takes the value, or throws the error. */
export function parseAhead(message: { readonly body: string }, { letOthersRun }: Runtime): Promise<void> {
	try {
		bodyAsJson(message)
	} catch {
		// It may be no JSON at all, such as a form.
	}
	return letOthersRun()
}
