/** How a call proves its origin: the contract, and the ways that several platforms share. */
import type { Crypto } from './crypto.ts'
import type { WireRequest } from './wire.ts'

/** How a call proves its origin, both sides. */
export interface Auth {
	/** Names the way: adapters with the same scheme find and compare the secret alike, so they may share a URL. */
	readonly scheme: string
	/** Does the call carry one of the secrets? With no secrets given, nothing holds. */
	verify(call: WireRequest, secrets: readonly string[], crypto: Crypto): Promise<boolean>
	/** The call with the secret's proof added. */
	sign(call: WireRequest, secret: string, crypto: Crypto): Promise<WireRequest>
}

/** A secret in a query field of every call. */
export function queryToken(field: string): Auth {
	return {
		scheme: `query:${field}`,
		async verify(call, secrets, crypto) {
			const tokens = call.query.filter(([name]) => name === field)
			const token = tokens.length === 1 ? (tokens[0]?.[1] ?? '') : ''
			// Every secret is compared, so that the time does not tell which one matched.
			const matches = await Promise.all(secrets.map((secret) => crypto.equal(token, secret)))
			return token !== '' && matches.includes(true)
		},
		async sign(call, secret) {
			return { ...call, query: [...call.query.filter(([name]) => name !== field), [field, secret]] }
		},
	}
}
