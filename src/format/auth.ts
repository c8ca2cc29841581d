/** How a call is authenticated: the contract, and the schemes that several platforms share. */
import type { Crypto } from './crypto.ts'
import type { WireRequest } from './wire.ts'

/** How a call is authenticated, on both sides. */
export interface Auth {
	/** Name of the scheme: adapters with the same scheme find and compare the secret in the same way, so they may share a URL. */
	readonly scheme: string
	/**
	 * Where the proof stands: before the body, in the query or a header, or in the body. The body of a call that `head`
	 * does not prove is not read: `verify` gets an empty one.
	 */
	readonly proof: 'head' | 'body'
	/**
	 * Does the call carry one of the secrets? Without secrets, no call does. Anyone may have sent it: a proof in the body
	 * is found and checked without parsing the whole body.
	 */
	verify(call: WireRequest, secrets: readonly string[], crypto: Crypto): Promise<boolean>
	/** The call with the secret's proof added. */
	sign(call: WireRequest, secret: string, crypto: Crypto): Promise<WireRequest>
}

/** A secret in a query field of every call. */
export function queryToken(field: string): Auth {
	return {
		scheme: `query:${field}`,
		proof: 'head',
		async verify(call, secrets, crypto) {
			const tokens = call.query.filter(([name]) => name === field)
			const token = tokens.length === 1 ? (tokens[0]?.[1] ?? '') : ''
			// Every secret is compared, so that the time does not reveal which one matched.
			const matches = secrets.map((secret) => crypto.equal(token, secret))
			return token !== '' && matches.includes(true)
		},
		async sign(call, secret) {
			return { ...call, query: [...call.query.filter(([name]) => name !== field), [field, secret]] }
		},
	}
}
