/** The set-up call that several platforms make in the same way. */
import { GatewayError } from '../errors.ts'
import type { Adapter } from './adapter.ts'

/** Longest value that is sent back, in UTF-16 units. */
const maxEcho = 1024

/** For people who open the URL in a browser. */
const aboutSetUp = 'a value to send back: a GET is a set-up call, and events are sent with POST'

/** A set-up call that expects the value of a query field back; every GET is one. The answer is plain text that no browser treats as HTML. */
export function echoChallenge(field: string): Required<Pick<Adapter, 'challenge' | 'handshake'>> {
	return {
		challenge({ method, query }) {
			const value = query.find(([name]) => name === field)?.[1]
			if (method !== 'GET') return undefined
			if (value === undefined) throw new GatewayError('field-missing', { field, expected: aboutSetUp })
			if (value.length > maxEcho) throw new GatewayError('field-invalid', { field, limit: maxEcho })
			return {
				status: 200,
				headers: [
					['content-type', 'text/plain; charset=utf-8'],
					['x-content-type-options', 'nosniff'],
					['cache-control', 'no-store'],
				],
				body: value,
			}
		},
		handshake(nonce) {
			return {
				call: { method: 'GET', query: [[field, nonce]], headers: [], body: '' },
				accepts: ({ status, body }) => status === 200 && body === nonce,
			}
		},
	}
}
