/** Ways for a call to prove its origin that several platforms share: verify and sign, side by side. */
import type { Auth } from './adapter.ts'

/** A secret in a query field of every call. */
export function queryToken(field: string): Auth {
	return {
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
}
