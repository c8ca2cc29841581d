/** Deletes ended events when they are old, and the oldest of them when they take too many bytes. */
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxSettings } from '../../config/index.ts'

/** Events deleted in one transaction, for which new events wait. */
const batch = 1000

/** Returns how many events were deleted before their time because delivered and dead events took too many bytes. */
export function sweep(
	db: DatabaseSync,
	{ delivered, dead, maxBytes }: OutboxSettings['retention'],
	now: number,
): number {
	const old = db.prepare(`
		DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE state = ? AND state <> 'waiting' AND ended_at <= ? LIMIT ${batch})
	`)
	old.run('delivered', now - delivered)
	old.run('dead', now - dead)

	const bytes = db.prepare(`SELECT coalesce(sum(length(payload)), 0) AS bytes FROM events WHERE state <> 'waiting'`)
	let over = Number(bytes.get()?.bytes) - maxBytes
	if (over <= 0) return 0
	// Descending, 'delivered' sorts before 'dead', so delivered events are deleted first.
	const oldest = db.prepare(`
		SELECT seq, length(payload) AS bytes FROM events WHERE state <> 'waiting' ORDER BY state DESC, ended_at, seq LIMIT ${batch}
	`)
	const remove = db.prepare('DELETE FROM events WHERE seq = ?')
	let count = 0
	for (const row of oldest.all()) {
		if (over <= 0) break
		remove.run(Number(row.seq))
		over -= Number(row.bytes)
		count++
	}
	return count
}
