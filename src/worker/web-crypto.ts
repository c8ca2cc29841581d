/** Cryptography by Web Crypto. */
import type { Crypto } from '../format/index.ts'

const utf8 = new TextEncoder()

export const webCrypto: Crypto = {
	// Of digests, which are of one length whatever is compared.
	equal: async (a, b) => crypto.subtle.timingSafeEqual(...(await Promise.all([digest(a), digest(b)]))),
	sha256: async (text) => hex(await digest(text)),
	hmac: async (key, text) => base64(await crypto.subtle.sign('HMAC', await keyOf(key), utf8.encode(text))),
}

function digest(text: string): Promise<ArrayBuffer> {
	return crypto.subtle.digest('SHA-256', utf8.encode(text))
}

const keys = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** The key as Web Crypto has it, made once. */
function keyOf(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
	const known = keys.get(bytes)
	if (known) return known
	const made = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
	keys.set(bytes, made)
	return made
}

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function base64(bytes: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}
