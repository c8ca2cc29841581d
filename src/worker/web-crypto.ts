/** The cryptography of a Worker, by Web Crypto. */
import type { Crypto } from '../format/index.ts'
import type { Cipher } from '../runtime.ts'

const utf8 = new TextEncoder()

/** Implements `Crypto` on Workers. */
export const webCrypto: Crypto = {
	// Compares digests, because `timingSafeEqual` requires equal lengths.
	equal: async (a, b) => crypto.subtle.timingSafeEqual(...(await Promise.all([digest(a), digest(b)]))),
	sha256: async (text) => hex(await digest(text)),
	hmac: async (key, text) => base64(await crypto.subtle.sign('HMAC', await hmacKey(key), utf8.encode(text))),
}

const [ivBytes, tagBytes] = [12, 16]

/** Implements `Cipher` on Workers. */
export const webCipher: Cipher = {
	async encrypt(text, key, context) {
		const iv = crypto.getRandomValues(new Uint8Array(ivBytes))
		const encrypted = await crypto.subtle.encrypt(gcm(iv, context), await aesKey(key), utf8.encode(text))
		const [ciphertext, tag] = [encrypted.slice(0, -tagBytes), encrypted.slice(-tagBytes)]
		return { iv: base64url(iv.buffer), ciphertext: base64url(ciphertext), tag: base64url(tag) }
	},
	async decrypt({ iv, ciphertext, tag }, key, context) {
		try {
			// Each part alone: the ciphertext may end within a group of four characters.
			const encrypted = Uint8Array.of(...bytesOf(ciphertext), ...bytesOf(tag))
			const text = await crypto.subtle.decrypt(gcm(bytesOf(iv), context), await aesKey(key), encrypted)
			return new TextDecoder().decode(text)
		} catch {
			return undefined
		}
	},
}

function gcm(iv: Uint8Array, context: string) {
	return { name: 'AES-GCM', iv, additionalData: utf8.encode(context), tagLength: 8 * tagBytes }
}

function digest(text: string): Promise<ArrayBuffer> {
	return crypto.subtle.digest('SHA-256', utf8.encode(text))
}

const hmacKey = importsOnce({ name: 'HMAC', hash: 'SHA-256' }, ['sign'])
const aesKey = importsOnce({ name: 'AES-GCM' }, ['encrypt', 'decrypt'])

/** Makes bytes a Web Crypto key; each is imported once. */
function importsOnce(
	algorithm: { readonly name: string; readonly hash?: string },
	usages: string[],
): (bytes: Uint8Array<ArrayBuffer>) => Promise<CryptoKey> {
	const keys = new WeakMap<Uint8Array, Promise<CryptoKey>>()
	return (bytes) => {
		const known = keys.get(bytes)
		if (known) return known
		const imported = crypto.subtle.importKey('raw', bytes, algorithm, false, usages)
		keys.set(bytes, imported)
		return imported
	}
}

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function base64(bytes: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}

function base64url(bytes: ArrayBuffer): string {
	return base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function bytesOf(text: string): Uint8Array {
	return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
