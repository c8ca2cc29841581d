/** Makes a wire response into a real one, with the security headers that every answer has. */
import type { WireResponse } from '../format/index.ts'

/** The headers of an answer: its own, and those that keep it out of caches and from being taken for another type. */
export function answerHeaders({ headers }: WireResponse): { readonly [name: string]: string } {
	return { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...Object.fromEntries(headers) }
}

export function toResponse(answer: WireResponse): Response {
	const { status, body } = answer
	const headers = answerHeaders(answer)
	// With these the standard allows no body, not even an empty one.
	const bodiless = status === 204 || status === 205 || status === 304
	if (bodiless || body !== '') return new Response(bodiless ? null : body, { status, headers })
	// An empty text would get a content type of the runtime's own, and no body no length.
	return new Response(null, { status, headers: { ...headers, 'content-length': '0' } })
}
