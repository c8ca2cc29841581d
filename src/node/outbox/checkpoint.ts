/**
 * Moves the write-ahead log into the file, and leaves a mark in the file that it has a log.
 *
 * The mark is a row that is in the file, and that the log deletes again. The file together with its log has no mark, and
 * neither has a copy of both, nor the file after a clean end. The file alone has one: its log is lost.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { sqlite, sqliteCode } from './outbox-error.ts'

/** Moves the log's pages into the file. False: not all of them, because the log is being read or the disk is full. */
export type MoveLog = () => boolean

/**
 * Moves the log's pages into the file, and with `TRUNCATE` empties the log. False: not all of them, because the log is
 * being read or the disk is full. Throws SQLite's error if a write or an fsync failed.
 */
export function checkpoint(db: DatabaseSync, mode: 'PASSIVE' | 'TRUNCATE'): boolean {
	try {
		const result = db.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
		return result?.busy === 0 && result.log === result.checkpointed
	} catch (thrown) {
		if (sqliteCode(thrown) === sqlite.full) return false
		throw thrown
	}
}

/**
 * Makes the function that moves the log and marks the file. `process` tells this process from others that have the file
 * open: each has a mark of its own, because another one may delete its mark before the pages of this one are moved.
 */
export function createMoveLog(db: DatabaseSync, process: string): MoveLog {
	const name = `open by ${process}`
	const mark = db.prepare(`INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'')`)
	const unmark = db.prepare('DELETE FROM meta WHERE name = ?')
	const move = (): boolean => {
		// On a full disk there may be room for the mark only when the log can be written from its beginning again.
		if (!runs(mark, name)) {
			checkpoint(db, 'PASSIVE')
			if (!runs(mark, name)) return false
		}
		const moved = checkpoint(db, 'PASSIVE')
		runs(unmark, name)
		return moved
	}
	return () => unsynced(db, move)
}

/** Runs transactions without an fsync of the log for each: a checkpoint, and the next transaction, sync it anyway. */
export function unsynced<T>(db: DatabaseSync, run: () => T): T {
	db.exec('PRAGMA synchronous = NORMAL')
	try {
		return run()
	} finally {
		db.exec('PRAGMA synchronous = FULL')
	}
}

/** Whether there was room on the disk. */
function runs(statement: StatementSync, name: string): boolean {
	try {
		statement.run(name)
		return true
	} catch (thrown) {
		if (sqliteCode(thrown) === sqlite.full) return false
		throw thrown
	}
}

const marks = `meta WHERE name GLOB 'open by *'`

/** Whether the file has a mark that no log deletes. */
export function isMarked(db: DatabaseSync): boolean {
	return db.prepare(`SELECT 1 FROM ${marks}`).get() !== undefined
}

/** Deletes all marks, before a clean end or after processes that ended while they moved the log. */
export function deleteMarks(db: DatabaseSync): void {
	if (isMarked(db)) db.exec(`DELETE FROM ${marks}`)
}
