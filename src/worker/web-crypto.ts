/** The cryptography for adapters, by Web Crypto. */
import type { Crypto } from '../format/index.ts'

const utf8 = new TextEncoder()

/** Implements `Crypto` on Workers. */
export const webCrypto: Crypto = {
	equal: isEqual,
	sha256: async (text) => hex(await digest(text)),
	// Web Crypto takes the whole in one piece.
	hmac: async (key, ...texts) =>
		base64(await crypto.subtle.sign('HMAC', await importKey(key), utf8.encode(texts.join('')))),
}

/** Bytes that are compared, however short the texts are. */
const blockSize = 512

/** Compares texts as bytes of one length, as many blocks as the longer one may take; `timingSafeEqual` requires that. */
function isEqual(a: string, b: string): boolean {
	const longest = Math.max(a.length, b.length) * 3
	const size = Math.ceil((longest + lengthSize) / blockSize) * blockSize
	return crypto.subtle.timingSafeEqual(filled(size, a), filled(size, b))
}

/** Bytes in front of a text that say how long it is: zeros behind it must not be taken for its own. */
const lengthSize = 4

function filled(size: number, text: string): Uint8Array {
	const block = new Uint8Array(size)
	const { written } = utf8.encodeInto(text, block.subarray(lengthSize))
	new DataView(block.buffer).setUint32(0, written)
	return block
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
