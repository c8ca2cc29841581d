/** The cryptography for adapters, by Web Crypto. */
import type { Crypto } from '../format/index.ts'

const utf8 = new TextEncoder()

/** Implements `Crypto` on Workers. */
export const webCrypto: Crypto = {
	// Compares digests, because `timingSafeEqual` requires equal lengths.
	equal: async (a, b) => crypto.subtle.timingSafeEqual(...(await Promise.all([digest(a), digest(b)]))),
	sha256: async (text) => hex(await digest(text)),
	hmac: async (key, text) => base64(await crypto.subtle.sign('HMAC', await importKey(key), utf8.encode(text))),
}

function digest(text: string): Promise<ArrayBuffer> {
	return crypto.subtle.digest('SHA-256', utf8.encode(text))
}

const keys = new WeakMap<Uint8Array, Promise<CryptoKey>>()

/** The key as a Web Crypto key; each is imported once. */
function importKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
	const known = keys.get(bytes)
	if (known) return known
	const imported = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
	keys.set(bytes, imported)
	return imported
}

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function base64(bytes: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}
