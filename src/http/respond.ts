/** Answers as HTTP responses, with the security headers that every answer has. */
import type { WireResponse } from '../format/index.ts'

/** The headers of an answer: its own, and those that keep it out of caches and from being taken for another type. */
export function answerHeaders({ headers }: WireResponse): { [name: string]: string } {
	const all: { [name: string]: string } = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
	for (const [name, value] of headers) all[name] = value
	return all
}

/** Whether the standard allows no body with a status, not even an empty one. */
export function isBodiless({ status }: WireResponse): boolean {
	return status === 204 || status === 205 || status === 304
}

export function toResponse(answer: WireResponse): Response {
	const { status, body } = answer
	const headers = answerHeaders(answer)
	if (isBodiless(answer)) return new Response(null, { status, headers })
	if (body !== '') return new Response(body, { status, headers })
	// An empty text would get a content type of the runtime's own, and no body no length.
	return new Response(null, { status, headers: { ...headers, 'content-length': '0' } })
}
