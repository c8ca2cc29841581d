/** How a call proves its origin: the contract, and the ways that several platforms share. */
import type { Crypto } from './crypto.ts'
import type { WireRequest } from './wire.ts'

/** How a call proves its origin, both sides. */
export interface Auth {
	/** Does the call carry one of the secrets? With no secrets given, nothing holds. */
	verify(call: WireRequest, secrets: readonly string[], crypto: Crypto): Promise<boolean>
	/** The call with the secret's proof added. */
	sign(call: WireRequest, secret: string, crypto: Crypto): Promise<WireRequest>
}
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
