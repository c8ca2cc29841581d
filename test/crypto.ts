/** The primitives that authentication needs, for tests. */
import { createHmac, hash } from 'node:crypto'
import type { Crypto } from '../src/format/index.ts'

export const testCrypto: Crypto = {
	equal: (a, b) => a === b,
	sha256: async (text) => hash('sha256', text),
	hmac: async (key, ...texts) => createHmac('sha256', key).update(texts.join('')).digest('base64'),
}
