/** Verifies that the gateway signed a call, as Standard Webhooks specifies. */

/** A call as it arrived. */
export interface SignedCall {
	/** The value of a header, by its name in lower case. */
	header(name: string): string | null | undefined
	/** Before it is parsed, because the signature is that of its bytes. */
	readonly body: string
}

/** Seconds between the clocks of the gateway and of the backend, and on the way. */
const tolerance = 5 * 60

/**
 * Whether one of these keys signed the call, within the last five minutes. A key is `whsec_` and base64, as the gateway has
 * it; throws a TypeError for any other. `now`: milliseconds since 1970.
 */
export async function isSigned(call: SignedCall, keys: readonly string[], now = Date.now()): Promise<boolean> {
	const secrets = keys.map(bytesOfKey)
	const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => call.header(`webhook-${name}`))
	if (!id || !timestamp || !signatures || !/^\d{1,12}$/.test(timestamp)) return false
	if (Math.abs(now / 1000 - Number(timestamp)) > tolerance) return false
	const signed = new TextEncoder().encode(`${id}.${timestamp}.${call.body}`)
	for (const secret of secrets) {
		const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
		for (const signature of signatures.split(' ')) {
			const [version, base64 = ''] = signature.split(',')
			const mac = version === 'v1' ? bytesOf(base64) : undefined
			// In constant time.
			if (mac && (await crypto.subtle.verify('HMAC', key, mac, signed))) return true
		}
	}
	return false
}

/** The bytes of a key. Throws a TypeError if it is none. */
export function bytesOfKey(key: string): Uint8Array<ArrayBuffer> {
	const bytes = bytesOf(key.replace(/^whsec_/, ''))
	if (!bytes || bytes.length === 0) throw new TypeError('A key must be "whsec_" and base64')
	return bytes
}

/** Undefined: it is not base64. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
	if (!/^[A-Za-z\d+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined
	return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
}
