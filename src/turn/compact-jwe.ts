/**
 * Encrypted texts in the compact form of JWE (RFC 7516), by direct encryption with AES-256-GCM (RFC 7518, sections 4.5 and
 * 5.3), and by nothing else: no header but our own is read. docs/decisions/064-reply-urls-are-sealed.md has why.
 */
import type { Crypto } from '../format/index.ts'
import type { Cipher } from '../runtime.ts'

/** What encrypts and decrypts, by the runtime. */
export interface Primitives {
	readonly cipher: Cipher
	readonly crypto: Pick<Crypto, 'sha256'>
}

type Key = Uint8Array<ArrayBuffer>

/** The text, encrypted. */
export async function encryptCompact(text: string, key: Key, { cipher, crypto }: Primitives): Promise<string> {
	const header = await headerOf(key, crypto)
	const { iv, ciphertext, tag } = await cipher.encrypt(text, key, header)
	return `${header}..${iv}.${ciphertext}.${tag}`
}

// The last character of each part has no bits to spare: else there would be several spellings of one token.
const base64url = String.raw`(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?`
const parts = new RegExp(String.raw`^\.\.([\w-]{16})\.(${base64url})\.([\w-]{21}[AQgw])$`)

/** The text in a token that one of these keys encrypted; undefined: none of them did. */
export async function decryptCompact(
	token: string,
	keys: readonly Key[],
	{ cipher, crypto }: Primitives,
): Promise<string | undefined> {
	for (const key of keys) {
		const header = await headerOf(key, crypto)
		const [, iv, ciphertext, tag] = (token.startsWith(header) && parts.exec(token.slice(header.length))) || []
		if (iv === undefined || ciphertext === undefined || tag === undefined) continue
		const text = await cipher.decrypt({ iv, ciphertext, tag }, key, header)
		if (text !== undefined) return text
	}
	return undefined
}

// Headers, not promises of them: on Workers a call must not wait for what another call began.
const headers = new WeakMap<Key, string>()

/** The header of what a key encrypts. It names the key by a part of its hash, so that each instance finds the right one. */
async function headerOf(key: Key, crypto: Primitives['crypto']): Promise<string> {
	const known = headers.get(key)
	if (known !== undefined) return known
	const kid = (await crypto.sha256(`jwe key ${String.fromCharCode(...key)}`)).slice(0, 8)
	const json = JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid })
	const header = btoa(json).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
	headers.set(key, header)
	return header
}
