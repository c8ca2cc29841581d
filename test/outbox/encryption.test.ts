/** What is stored of an event: with a key, nothing that could be read or put elsewhere without it. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createEncryption } from '../../src/node/outbox/encryption.ts'

const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
/** Around each power of two, where an implementation might begin to treat events differently. */
const sizes = [0, 1, 15, 16, 17, 255, 4096, 8191, 8192, 8193, 65_535, 65_537, 262_144, 1_048_576, 2_097_152]
const nonceOf = ({ bytes }: { bytes: Uint8Array }): string => Buffer.from(bytes.subarray(0, 12)).toString('hex')

/** A text of this length in which no twelve characters repeat, as good as certainly. */
function textOf(length: number): string {
	return randomBytes(Math.ceil(length / 2))
		.toString('hex')
		.slice(0, length)
}

test.each(sizes)('of %i characters nothing stands in the bytes, and the key is named', (size) => {
	const encryption = createEncryption([first, second])
	const text = textOf(size)
	const encrypted = encryption.encrypt('turn_1', text)
	expect(encrypted.key).toBe(encryption.current)
	expect(encrypted.key).not.toBeNull()
	// The nonce before it, and the tag behind.
	expect(encrypted.bytes).toHaveLength(12 + size + 16)
	const bytes = Buffer.from(encrypted.bytes)
	const step = Math.max(12, Math.floor(size / 50))
	for (let at = 0; at + 12 <= size; at += step) expect(bytes.includes(text.slice(at, at + 12))).toBe(false)
	expect(encryption.decrypt('turn_1', encrypted)).toBe(text)
})

test.each(sizes)('of %i characters, two encryptions under one name have nothing in common', (size) => {
	const encryption = createEncryption([first])
	const text = textOf(size)
	const [one, two] = [encryption.encrypt('turn_1', text), encryption.encrypt('turn_1', text)]
	expect(nonceOf(one)).not.toBe(nonceOf(two))
	expect(Buffer.from(one.bytes.subarray(12)).equals(two.bytes.subarray(12))).toBe(false)
})

test('no two of 20,000 events share a nonce, whatever they are called', () => {
	const encryption = createEncryption([first])
	const names = Array.from({ length: 20_000 }, (_, i) => ['turn_1', `turn_${i}`, `${i}`, ''][i % 4] ?? '')
	expect(new Set(names.map((name) => nonceOf(encryption.encrypt(name, 'Hello')))).size).toBe(names.length)
	// Nor do those of a process that begins anew.
	const again = names.slice(0, 1000).map((name) => nonceOf(createEncryption([first]).encrypt(name, 'Hello')))
	expect(new Set(again).size).toBe(again.length)
})

test('the bytes can only be decrypted whole, under their name, with their key', () => {
	const encryption = createEncryption([first])
	const encrypted = encryption.encrypt('turn_1', 'Hello')
	const { key, bytes } = encrypted
	for (const name of ['turn_2', 'turn_10', 'turn_', '', 'TURN_1']) {
		expect(() => encryption.decrypt(name, encrypted)).toThrow()
	}
	for (let at = 0; at < bytes.length; at++) {
		const changed = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))
		expect(() => encryption.decrypt('turn_1', { key, bytes: changed })).toThrow()
	}
	for (const part of [bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array()]) {
		expect(() => encryption.decrypt('turn_1', { key, bytes: part })).toThrow()
	}
	// As if it had never been encrypted.
	expect(() => encryption.decrypt('turn_1', { key: null, bytes })).toThrow()
	expect(() => createEncryption([second]).decrypt('turn_1', encrypted)).toThrow(`the key ${key} is not configured`)
	expect(createEncryption([second, first]).decrypt('turn_1', encrypted)).toBe('Hello')
})

test('without a key the text is stored with a checksum, and no key is named', () => {
	const encryption = createEncryption([])
	expect(encryption.current).toBeNull()
	const { key, bytes } = encryption.encrypt('turn_1', 'Hello')
	expect(key).toBeNull()
	expect(Buffer.from(bytes).toString('latin1')).toContain('Hello')
	for (let at = 0; at < bytes.length; at++) {
		const changed = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))
		expect(() => encryption.decrypt('turn_1', { key, bytes: changed })).toThrow()
	}
})
