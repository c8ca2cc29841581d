/** The primitives that authentication needs, for tests. */
import { hash } from 'node:crypto'
import type { Crypto } from '../src/format/index.ts'

export const testCrypto: Crypto = {
	equal: async (a, b) => a === b,
	sha256: async (text) => hash('sha256', text),
	async hmac(key, text) {
		const algorithm = { name: 'HMAC', hash: 'SHA-256' }
		const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
		const signature = await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(text))
		return Buffer.from(signature).toString('base64')
	},
}
