/**
 * Room on the disk that the outbox takes before it needs it, so that a disk that others have filled neither loses an event
 * nor keeps it from being delivered: free pages in the file, into which whatever is in the log can be moved, and a log that
 * can be written from its beginning again.
 */
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { unsynced } from './checkpoint.ts'
import type { Opened } from './database.ts'
import { type LogBudget, pageBytes } from './log-budget.ts'
import { sqlite, sqliteCode } from './outbox-error.ts'

export interface Reserve {
	/** Makes room for these events. False: there is none on the disk. True also if only the file is full. */
	makeRoom(events: readonly { readonly payload: string }[]): boolean
}

export function createReserve({ db, file, moveLog }: Opened, maxBytes: number, log: LogBudget): Reserve {
	const maxPages = Math.floor(maxBytes / pageBytes)
	const pages = db.prepare('PRAGMA page_count')
	const free = db.prepare('PRAGMA freelist_count')
	const fill = db.prepare(`INSERT INTO meta (name, value) VALUES ('reserve', zeroblob(?))`)
	const clear = db.prepare(`DELETE FROM meta WHERE name = 'reserve'`)

	/** Whether the disk has room for what a transaction writes. */
	function transacts(write: () => void): boolean {
		try {
			db.exec('BEGIN IMMEDIATE')
			write()
			db.exec('COMMIT')
			return true
		} catch (thrown) {
			if (db.isTransaction) db.exec('ROLLBACK')
			if (!isFull(thrown)) throw thrown
			return false
		}
	}

	/** Writes zeros into the file and deletes them, after which so many pages are free. */
	function freePages(count: number): boolean {
		const made = unsynced(db, () =>
			transacts(() => {
				fill.run(count * pageBytes)
				clear.run()
			}),
		)
		if (made) moveLog()
		return made
	}

	function lengthenLog(): void {
		const path = `${file}-wal`
		if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= log.reserve) return
		// Nobody else writes to the log during a transaction. What follows the last transaction in it is never read.
		transacts(() => {
			const descriptor = openSync(path, 'r+')
			try {
				const { size } = statSync(path)
				writeSync(descriptor, Buffer.alloc(Math.max(0, log.reserve - size)), 0, undefined, size)
			} finally {
				closeSync(descriptor)
			}
		})
	}

	function makeRoom(events: readonly { readonly payload: string }[]): boolean {
		lengthenLog()
		const needed = events.reduce((sum, { payload }) => sum + pagesOf(Buffer.byteLength(payload)), 2)
		const there = Number(free.get()?.freelist_count)
		if (there >= needed) return true
		const most = maxPages - Number(pages.get()?.page_count) + there
		const ahead = needed < 16 ? 6 : Math.min(8 * needed, Math.floor(log.bytes / pageBytes))
		return freePages(Math.min(most, Math.ceil(needed + ahead)))
	}

	// An fsync takes less where the log does not become longer.
	db.exec(`PRAGMA journal_size_limit = ${log.bytes}`)
	lengthenLog()
	return { makeRoom }
}

/** Pages that an event takes at most, with its entries in the indexes. */
function pagesOf(bytes: number): number {
	return (1.5 * (bytes + 512)) / pageBytes + (bytes > 1000 ? 1 : 0)
}

function isFull(thrown: unknown): boolean {
	return sqliteCode(thrown) === sqlite.full || (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOSPC')
}
