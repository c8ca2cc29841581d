/** Whether a new event may be stored: not beyond the limit of the file, and not while the disk is nearly full or the log is long. */
import { statfsSync, statSync } from 'node:fs'
import type { Opened } from './database.ts'
import { pageBytes } from './log-budget.ts'

/** Milliseconds between two attempts to shorten the log. */
const shrinkEvery = 1000

export interface Admission {
	/** Whether the disk is nearly full, or the log too long because it is being read, even after it was moved into the file. */
	isFull(now: number): boolean
	/** Whether events of so many bytes fit into the file. Counts them if they do. */
	admit(bytes: readonly number[]): boolean
}

/** `logBytes` is what the write-ahead log may take. */
export function createAdmission({ db, file, moveLog }: Opened, maxBytes: number, logBytes: number): Admission {
	const maxPages = Math.floor(maxBytes / pageBytes)
	// Ending an event also needs pages, so the file must not be filled with new events.
	const admitted = maxPages - Math.max(16, maxPages >> 4)
	// The log's contents must fit into the file, and what ends an event into the log; a full disk has room for neither.
	const spare = 4 * logBytes
	db.exec(`PRAGMA max_page_count = ${maxPages}`)
	const pages = db.prepare('PRAGMA page_count')
	const free = db.prepare('PRAGMA freelist_count')
	/** An upper bound, which is read again only when it would exceed the limit. */
	let usedPages = readUsedPages()
	let shrunkAt = Number.NEGATIVE_INFINITY

	function readFreePages(): number {
		return Number(free.get()?.freelist_count)
	}

	function readUsedPages(): number {
		return Number(pages.get()?.page_count) - readFreePages()
	}

	function isNearlyFull(): boolean {
		const log = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
		if (log > maxBytes / 2) return true
		const { bavail, bsize } = statfsSync(file)
		const left = bavail * bsize
		// The log writes over what it has on the disk already.
		const there = left + Math.min(log, logBytes)
		if (there >= spare) return false
		return left < logBytes || there + readFreePages() * pageBytes < spare
	}

	return {
		isFull(now) {
			if (!isNearlyFull()) return false
			if (now - shrunkAt < shrinkEvery) return true
			shrunkAt = now
			moveLog()
			return isNearlyFull()
		},
		admit(bytes) {
			const needed = bytes.reduce((sum, each) => sum + Math.ceil(each / pageBytes) + 2, 0)
			if (usedPages + needed > admitted) usedPages = readUsedPages()
			if (usedPages + needed > admitted) return false
			usedPages += needed
			return true
		},
	}
}
