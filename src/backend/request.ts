/** Reads the body of a call from the gateway. */
import type { BackendRequest } from '../model/index.ts'

/** A body that is no call of this version of the contract. */
export class RequestInvalid extends Error {
	override readonly name = 'RequestInvalid'
}

/**
 * The event and the turn in a body. Throws RequestInvalid unless it is JSON of version 1 with an event and a turn. Their
 * fields are not checked one by one, nor are unknown ones refused: a later release of the gateway may send more.
 */
export function parseRequest(body: string): BackendRequest {
	const value = parseJson(body)
	if (!isRequest(value)) throw new RequestInvalid('The body is no call of version 1: { version, event, turn }')
	return value
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new RequestInvalid('The body is not JSON', { cause })
	}
}

function isRequest(value: unknown): value is BackendRequest {
	return (
		isObject(value) &&
		value.version === 1 &&
		isObject(value.event) &&
		typeof value.event.kind === 'string' &&
		isObject(value.event.attributes) &&
		isObject(value.turn) &&
		typeof value.turn.id === 'string'
	)
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
