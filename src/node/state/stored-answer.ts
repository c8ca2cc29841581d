/** The answer to a call as a store of several Nodes keeps it. */
import type { WireResponse } from '../../format/index.ts'

type Stored = readonly [status: number, headers: WireResponse['headers'], body: string]

/** The text to store: JSON, because PostgreSQL takes no text with a NUL in it. */
export function storedAnswer({ status, headers, body }: WireResponse): string {
	return JSON.stringify([status, headers, body] satisfies Stored)
}

/** The answer that was stored. */
export function answerIn(text: string): WireResponse {
	const [status, headers, body]: Stored = JSON.parse(text)
	return { status, headers, body }
}
