/** Ways to prove whose a call or a URL is that several platforms share: both sides, side by side. */
import type { Adapter, Auth } from './adapter.ts'
import { GatewayError } from './errors.ts'

const queryTokens = new Map<string, Auth>()

/** A secret in a query field of every call. One value a field: adapters behind one URL must share it. */
export function queryToken(field: string): Auth {
	const known = queryTokens.get(field)
	if (known) return known
	const auth: Auth = {
		async verify(call, secrets, crypto) {
			const tokens = call.query.filter(([name]) => name === field)
			const token = tokens.length === 1 ? (tokens[0]?.[1] ?? '') : ''
			// Every secret is compared, so that the time tells nothing of which one held.
			const held = await Promise.all(secrets.map((secret) => crypto.equal(token, secret)))
			return token !== '' && held.includes(true)
		},
		async sign(call, secret) {
			return { ...call, query: [...call.query.filter(([name]) => name !== field), [field, secret]] }
		},
	}
	queryTokens.set(field, auth)
	return auth
}

/** Longest value that is sent back, in UTF-16 units. */
const maxEcho = 1024

/** A set-up call that wants the value of a query field back: every GET is one. Answered as plain text that no browser takes for HTML. */
export function queryEcho(field: string): Required<Pick<Adapter, 'challenge' | 'handshake'>> {
	return {
		challenge({ method, query }) {
			const value = query.find(([name]) => name === field)?.[1]
			if (method !== 'GET') return undefined
			if (value === undefined) throw new GatewayError('field-missing', { field })
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
