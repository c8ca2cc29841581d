/**
 * Changes many stored events beside a running gateway: in portions, each a short transaction of its own, and with a pause
 * after each, so that the gateway never waits for long. A process that is killed has changed whole portions.
 */
import { statSync } from 'node:fs'
import type { OpenedBeside } from './database.ts'
import { createLogBudget } from './log-budget.ts'
import { OutboxError, sqlite, sqliteCode } from './outbox-error.ts'

/** Limits of a portion; the first event always fits. Its bytes are those of one transaction of the gateway. */
const portion = { events: 250, milliseconds: 50 }
/** Milliseconds of the shortest pause. SQLite looks as often for a lock that was just taken. */
const shortestPause = 25
/** Milliseconds between two looks whether the log can be emptied. */
const lookEvery = 250

/** Is called after each portion. `waits`: for another program that is reading the file, so that the log cannot be emptied. */
export type Progress = (done: number, of: number, waits?: boolean) => void

/** Calls `change` with each id, which returns whether it changed that event. Returns how many it changed. */
export function changeInPortions(
	{ db, file, moveLog, emptyLog }: OpenedBeside,
	maxFileBytes: number,
	ids: readonly string[],
	change: (id: string) => boolean,
	progress: Progress,
): number {
	const log = createLogBudget(moveLog, maxFileBytes)
	const size = db.prepare('SELECT length(payload) AS bytes FROM events WHERE id = ?')
	let next = 0
	let changed = 0
	let most = portion.events

	/** Changes one portion. Returns for how many milliseconds others had to wait for it. Throws SQLite's error. */
	function changePortion(): number {
		db.exec('BEGIN IMMEDIATE')
		const from = performance.now()
		try {
			const fits = log.newTransaction()
			const end = Math.min(ids.length, next + most)
			let [at, count] = [next, 0]
			do {
				const id = ids[at] ?? ''
				if (!fits(Number(size.get(id)?.bytes ?? 0))) break
				if (change(id)) count++
				at++
			} while (at < end && performance.now() - from < portion.milliseconds)
			db.exec('COMMIT')
			;[next, changed] = [at, changed + count]
		} catch (thrown) {
			if (db.isTransaction) db.exec('ROLLBACK')
			throw thrown
		}
		return performance.now() - from
	}

	/** Changes a portion that is as large as the disk has room for. */
	function changeWhatFits(): number {
		for (;;) {
			try {
				const took = changePortion()
				most = Math.min(portion.events, 2 * most)
				return took
			} catch (thrown) {
				if (sqliteCode(thrown) !== sqlite.full) throw thrown
				if (most === 1)
					throw new OutboxError('disk', `The disk of ${file} is full. Make room, and run this command again.`)
				// The log can be written from its beginning then, which needs no room on the disk.
				moveLog()
				most = Math.ceil(most / 8)
			}
		}
	}

	while (next < ids.length) {
		const took = changeWhatFits()
		progress(next, ids.length)
		log.moveIfDue(Date.now())
		// As long as the gateway may have waited: then it has its turn, because it looks for the lock more often than that.
		pause(Math.max(shortestPause, took))
		while (statSync(`${file}-wal`).size > log.maxBytes && !emptyLog()) {
			progress(next, ids.length, true)
			pause(lookEvery)
		}
	}
	return changed
}

/** Blocks this thread: the command has nothing else to do. */
export function pause(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
