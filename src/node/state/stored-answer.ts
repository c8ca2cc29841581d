/** The answer to a call as a store of several Nodes keeps it: one line of JSON, then the body as it is. */
import type { WireResponse } from '../../format/index.ts'

type Head = readonly [status: number, headers: WireResponse['headers']]

/** The text to store. */
export function storedAnswer({ status, headers, body }: WireResponse): string {
	const head: Head = [status, headers]
	return `${JSON.stringify(head)}\n${body}`
}

/** The answer that was stored. */
export function answerIn(text: string): WireResponse {
	const end = text.indexOf('\n')
	const [status, headers]: Head = JSON.parse(text.slice(0, end))
	return { status, headers, body: text.slice(end + 1) }
}
