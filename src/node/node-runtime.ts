/** What Node lends to the gateway: undici, node:crypto, a clock that never jumps, and pino. */
import { createHmac, createSecretKey, hash, type KeyObject, randomUUID, timingSafeEqual } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pino } from 'pino'
import type { Crypto } from '../format/index.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { LogLine, Runtime } from '../runtime.ts'
import { withTimeout } from '../timeout.ts'
import { createState } from './memory-state.ts'
import { createSender, type Sender } from './undici-client.ts'

/** A Runtime, and what ends it. */
export interface NodeRuntime extends Runtime {
	/** Waits at most `milliseconds` (default 0) for background work, then closes every connection and writes out the log. */
	close(milliseconds?: number): Promise<void>
}

/** A runtime on this process. Without `log`, lines go to standard output as JSON. */
export function createRuntime(log?: (line: LogLine) => void, sender: Sender = createSender()): NodeRuntime {
	const background = new Set<Promise<void>>()
	const lines = log ? { log, async flush() {} } : standardLog()
	return {
		send: sender.send,
		now: Date.now,
		elapsed: () => performance.now(),
		letOthersRun: nextTurn,
		newId: () => `turn_${sortableUuid()}`,
		crypto,
		compactJwe: () => import('../compact-jwe.ts'),
		state: createState(),
		log: lines.log,
		background(work) {
			background.add(work)
			work.finally(() => background.delete(work))
		},
		async close(milliseconds = 0) {
			if (background.size > 0) await withTimeout(milliseconds, Promise.all(background))
			await sender.close()
			await lines.flush()
		},
	}
}

/** A UUID of version 7: its first digits are the time, so that the outbox finds room for those of a batch on few pages of its index. */
function sortableUuid(): string {
	const time = Date.now().toString(16).padStart(12, '0')
	return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

const crypto: Crypto = {
	equal: isEqual,
	sha256: async (text) => hash('sha256', text),
	async hmac(key, ...texts) {
		const mac = createHmac('sha256', keyObject(key))
		for (const text of texts) mac.update(text)
		return mac.digest('base64')
	},
}

/** Bytes that are compared, however short the texts are. */
const blockSize = 512
const blocks = [Buffer.alloc(blockSize), Buffer.alloc(blockSize)] as const
/** UTF-16 units of the longest text that fits a block, with two bytes for its length. */
const longestInBlock = Math.floor((blockSize - 2) / 3)

/** Compares texts in a time that does not depend on what they have in common: as blocks of one size, or by their digests. */
function isEqual(a: string, b: string): boolean {
	if (a.length > longestInBlock || b.length > longestInBlock) {
		return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
	}
	return timingSafeEqual(filled(blocks[0], a), filled(blocks[1], b))
}

function filled(block: Buffer, text: string): Buffer {
	const end = 2 + block.write(text, 2)
	block.fill(0, end)
	block.writeUInt16BE(end)
	return block
}

// Made once a key: a KeyObject is five times as fast as the bytes.
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

function keyObject(key: Uint8Array): KeyObject {
	const known = keyObjects.get(key)
	if (known) return known
	const made = createSecretKey(key)
	keyObjects.set(key, made)
	return made
}

/** Bytes of lines that wait for a reader; beyond, lines are dropped rather than memory filled. */
const maxWaiting = 16 * 1024 * 1024

/**
 * Lines are written together: for so many milliseconds, or up to so many characters. Each write wakes another thread,
 * which takes longer than most of a turn. A process that is killed loses the lines of that time.
 */
const [batchTime, longestBatch] = [10, 16 * 1024]

/** Milliseconds that `close` waits for the reader of the log, or its disk. */
const flushLimit = 1000

function standardLog(): { log(line: LogLine): void; flush(): Promise<void> } {
	const destination = pino.destination({ dest: 1, sync: false, maxLength: maxWaiting })
	let written = true
	let over = false
	let lines = ''
	let timer: NodeJS.Timeout | undefined
	const write = (): void => {
		clearTimeout(timer)
		timer = undefined
		if (lines === '') return
		written = false
		destination.write(lines)
		lines = ''
	}
	destination.on('drain', () => {
		written = true
	})
	// A disk is full; the next line tries again. Unheard, the error would be uncaught, and so one more line that fails.
	destination.on('error', () => {})
	return {
		log(line) {
			if (over) return
			// Not by pino's logger, which writes the members one by one: that takes twice as long.
			lines += `{"time":"${rfc3339(Date.now())}",${JSON.stringify(line).slice(1)}\n`
			if (lines.length > longestBatch) write()
			else timer ??= setTimeout(write, batchTime)
		},
		async flush() {
			write()
			// Not its flushSync, which tries a full disk for ever. What is not destroyed does the same when the process ends.
			const { promise: settled, resolve } = Promise.withResolvers<void>()
			destination.once('drain', resolve).once('error', resolve)
			if (!written) await withTimeout(flushLimit, settled)
			if (written) return
			over = true
			destination.destroy()
		},
	}
}
