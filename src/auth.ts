/** Ways for a call to prove its origin that several platforms share: verify and sign, side by side. */
import type { Auth } from './adapter.ts'

const queryTokens = new Map<string, Auth>()

/** A secret in a query field of every call. One value a field: formats that share a URL must share it. */
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
