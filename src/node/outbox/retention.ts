/** Deletes ended events when they are old, and the oldest of them when they take too many bytes. */
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxSettings } from '../../config/index.ts'
import { pageBytes, type TransactionLimit } from './log-budget.ts'

/** Events deleted in one transaction, for which new events wait. */
const batch = 500

/** What a sweep has done. */
interface Swept {
	/** Events that were deleted before their time because delivered and dead events took too many bytes. */
	readonly crowdedOut: number
	/** Whether there is nothing left to delete. */
	readonly finished: boolean
}

export interface Retention {
	/** Whether there is something to delete. Reads a few rows, however many there are. */
	isDue(now: number): boolean
	/** Deletes what is due in this transaction, as far as it fits. */
	sweep(now: number, fits: TransactionLimit): Swept
	/** Counts an event that has ended, and is kept. */
	countEnded(bytes: number): void
	/** To be called after a transaction was rolled back. */
	recount(): void
}

export function createRetention(
	db: DatabaseSync,
	{ delivered, dead, maxBytes }: OutboxSettings['retention'],
): Retention {
	// The first delivered, then the dead: in this order they are deleted.
	const lifetimes = [
		['delivered', delivered],
		['dead', dead],
	] as const
	const old = db.prepare(`
		SELECT seq, length(payload) AS bytes FROM events
		WHERE state = ? AND state <> 'waiting' AND ended_at <= ? ORDER BY ended_at, seq LIMIT ?
	`)
	const remove = db.prepare('DELETE FROM events WHERE seq = ?')
	const sum = db.prepare(`SELECT coalesce(sum(length(payload)), 0) AS bytes FROM events WHERE state <> 'waiting'`)
	const pages = db.prepare('PRAGMA page_count')
	const free = db.prepare('PRAGMA freelist_count')
	const version = db.prepare('PRAGMA data_version')
	/** Bytes of all ended events. To add them up reads all of their rows, so it is only done after others changed the file. */
	let ended: number | undefined
	let countedAt: unknown

	function bytesOver(): number {
		const used = (Number(pages.get()?.page_count) - Number(free.get()?.freelist_count)) * pageBytes
		if (used <= maxBytes) return 0
		const current = version.get()?.data_version
		// Others only make them fewer.
		if (ended === undefined || (ended > maxBytes && current !== countedAt)) {
			ended = Number(sum.get()?.bytes)
			countedAt = current
		}
		return ended - maxBytes
	}

	return {
		isDue: (now) =>
			lifetimes.some(([state, lifetime]) => old.get(state, now - lifetime, 1) !== undefined) || bytesOver() > 0,
		sweep(now, fits) {
			let left = batch
			let crowdedOut = 0
			/** Deletes events that ended before a time, the oldest first, while `goes`. False: there was no room for more. */
			const removeWhile = (state: string, until: number, goes: () => boolean): boolean => {
				for (const { seq, bytes } of old.all(state, until, left)) {
					if (!goes()) return true
					if (!fits(Number(bytes))) return false
					remove.run(Number(seq))
					if (ended !== undefined) ended -= Number(bytes)
					left--
				}
				return left > 0
			}
			for (const [state, lifetime] of lifetimes) {
				if (!removeWhile(state, now - lifetime, () => true)) return { crowdedOut, finished: false }
			}
			const over = () => {
				const more = bytesOver() > 0
				if (more) crowdedOut++
				return more
			}
			for (const [state] of lifetimes) {
				if (bytesOver() > 0 && !removeWhile(state, Number.MAX_SAFE_INTEGER, over))
					return { crowdedOut, finished: false }
			}
			return { crowdedOut, finished: true }
		},
		countEnded(bytes) {
			if (ended !== undefined) ended += bytes
		},
		recount() {
			ended = undefined
		},
	}
}
