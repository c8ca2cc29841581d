/**
 * Encrypted texts in the compact form of JWE (RFC 7516), by direct encryption with AES-256-GCM (RFC 7518, sections 4.5 and
 * 5.3). `jose` encrypts and decrypts. It gets no token whose header is not one that we write.
 * docs/decisions/064-reply-urls-are-sealed.md has why.
 */
import { encode } from 'jose/base64url'
import { JOSEError } from 'jose/errors'
import { compactDecrypt } from 'jose/jwe/compact/decrypt'
import { CompactEncrypt } from 'jose/jwe/compact/encrypt'
import type { Crypto } from './format/index.ts'

type Key = Uint8Array<ArrayBuffer>
type Hash = Pick<Crypto, 'sha256'>

/** The text, encrypted with a key of 32 bytes. */
export async function encryptCompact(text: string, key: Key, hash: Hash): Promise<string> {
	const { fields } = await headerOf(key, hash)
	return new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(fields).encrypt(key)
}

// Stricter than jose, which reads white space, padding and bits to spare: each token has one spelling.
const parts = /^\.\.[\w-]{16}\.(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?\.[\w-]{21}[AQgw]$/

const accepted = {
	keyManagementAlgorithms: ['dir'],
	contentEncryptionAlgorithms: ['A256GCM'],
	// No compressed text.
	maxDecompressedLength: 0,
}

/** The text in a token that one of these keys encrypted; undefined: none of them did. */
export async function decryptCompact(token: string, keys: readonly Key[], hash: Hash): Promise<string | undefined> {
	for (const key of keys) {
		const { encoded } = await headerOf(key, hash)
		if (!token.startsWith(encoded) || !parts.test(token.slice(encoded.length))) continue
		try {
			const { plaintext } = await compactDecrypt(token, key, accepted)
			return new TextDecoder().decode(plaintext)
		} catch (error) {
			if (!(error instanceof JOSEError)) throw error
		}
	}
	return undefined
}

interface Header {
	readonly fields: { readonly alg: 'dir'; readonly enc: 'A256GCM'; readonly kid: string }
	/** The fields as a token begins with them. */
	readonly encoded: string
}

// Headers, not promises of them: on Workers a call must not wait for what another call began.
const headers = new WeakMap<Key, Header>()

/** The header of what a key encrypts. It names the key by a part of its hash, so that each instance finds the right one. */
async function headerOf(key: Key, hash: Hash): Promise<Header> {
	const known = headers.get(key)
	if (known !== undefined) return known
	const kid = (await hash.sha256(`jwe key ${String.fromCharCode(...key)}`)).slice(0, 8)
	const fields = { alg: 'dir', enc: 'A256GCM', kid } as const
	const header = { fields, encoded: encode(JSON.stringify(fields)) }
	headers.set(key, header)
	return header
}
