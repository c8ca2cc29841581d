/** The stored bytes of an event: encrypted with AES-256-GCM if there is a key, otherwise with a checksum. */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Bytes, and the id of the key that decrypts them; null: they are not encrypted. */
interface Encrypted {
	readonly key: string | null
	readonly bytes: Uint8Array
}

export interface Encryption {
	/** Binds `name` to the bytes: they cannot be decrypted under another name. */
	encrypt(name: string, text: string): Encrypted
	/** Throws if the key is missing or the bytes were changed. */
	decrypt(name: string, encrypted: Encrypted): string
	/** The ids of the configured keys. */
	readonly ids: readonly string[]
	/** The id of the key that encrypts; null: there is none. */
	readonly current: string | null
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** Encrypts with the first key, and decrypts with each of them. */
export function createEncryption(keys: readonly Uint8Array[]): Encryption {
	// Made once, because making a KeyObject and its id costs more than encrypting an event.
	const made = keys.map((key) => ({ id: idOf(key), secret: createSecretKey(key) }))
	const byId = new Map(made.map(({ id, secret }) => [id, secret]))
	const [first] = made
	return {
		current: first?.id ?? null,
		ids: [...byId.keys()],
		encrypt(name, text) {
			if (!first) return { key: null, bytes: withChecksum(text) }
			const nonce = randomBytes(nonceBytes)
			const cipher = createCipheriv(algorithm, first.secret, nonce, { authTagLength: tagBytes }).setAAD(
				Buffer.from(name),
			)
			const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
			return { key: first.id, bytes }
		},
		decrypt(name, { key, bytes }) {
			if (key === null) return checked(bytes)
			const secret = byId.get(key)
			if (!secret) throw new Error(`the key ${key} is not configured`)
			const end = bytes.length - tagBytes
			const nonce = bytes.subarray(0, nonceBytes)
			const decipher = createDecipheriv(algorithm, secret, nonce, { authTagLength: tagBytes })
				.setAAD(Buffer.from(name))
				.setAuthTag(bytes.subarray(end))
			return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, end)), decipher.final()]).toString()
		},
	}
}

/** Identifies a conversation in the store without revealing its id. */
export function hashConversation(salt: string, conversation: string): Uint8Array {
	return hash('sha256', `${salt} ${conversation}`, 'buffer').subarray(0, 16)
}

// Identifies a key without revealing it.
function idOf(key: Uint8Array): string {
	return hash('sha256', key).slice(0, 8)
}

const checksumBytes = 4

function withChecksum(text: string): Uint8Array {
	const bytes = Buffer.alloc(checksumBytes + Buffer.byteLength(text))
	bytes.write(text, checksumBytes)
	bytes.writeUInt32BE(crc32(bytes.subarray(checksumBytes)))
	return bytes
}

function checked(bytes: Uint8Array): string {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
	const text = buffer.subarray(checksumBytes)
	if (buffer.length < checksumBytes || crc32(text) !== buffer.readUInt32BE())
		throw new Error('the checksum does not match')
	return text.toString()
}
