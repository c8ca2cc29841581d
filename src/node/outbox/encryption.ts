/** What is stored of an event, as bytes: encrypted with AES-256-GCM where there is a key, else with a checksum. */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Bytes, and the id of the key that opens them; null: they are not encrypted. */
interface Sealed {
	readonly key: string | null
	readonly bytes: Uint8Array
}

export interface Seal {
	/** `name` is bound to the bytes: under another one they do not open. */
	seal(name: string, text: string): Sealed
	/** Throws when the key is not there, or a bit of the bytes is not what was sealed. */
	open(name: string, sealed: Sealed): string
	/** Whether there is the key that something was sealed with. */
	has(key: string): boolean
	/** The key that seals; null: none does. */
	readonly current: string | null
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** Seals with the first of the keys, opens with each of them. */
export function createSeal(keys: readonly Uint8Array[]): Seal {
	// A KeyObject and its id are made once: both cost more than to encrypt an event.
	const made = keys.map((key) => ({ id: idOf(key), secret: createSecretKey(key) }))
	const byId = new Map(made.map(({ id, secret }) => [id, secret]))
	const [first] = made
	return {
		current: first?.id ?? null,
		has: (key) => byId.has(key),
		seal(name, text) {
			if (!first) return { key: null, bytes: withChecksum(text) }
			const nonce = randomBytes(nonceBytes)
			const cipher = createCipheriv(algorithm, first.secret, nonce, { authTagLength: tagBytes }).setAAD(
				Buffer.from(name),
			)
			const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
			return { key: first.id, bytes }
		},
		open(name, { key, bytes }) {
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

/** What a conversation is known by in the store: the same for the same one, and nothing of its id to be read from it. */
export function laneOf(salt: string, conversation: string): Uint8Array {
	return hash('sha256', `${salt} ${conversation}`, 'buffer').subarray(0, 16)
}

// Tells which key it was, and nothing of the key.
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
