/** What a process does first with the events that those before it left. */
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxSettings } from '../../config/index.ts'
import { longestWait } from '../../delivery/index.ts'
import type { Seal } from './encryption.ts'
import { createLanes, reorder } from './lanes.ts'
import { OutboxError } from './outbox-error.ts'

/**
 * How often an event may be under way when its process ends: the process may have ended because of it. Many, because a
 * process that is killed again and again says nothing about the event.
 */
const maxLapses = 100

/** Who takes over, and when. */
export interface NewOwner {
	readonly owner: string
	readonly now: number
}

/** Gives back what an earlier process had under way, and brings moments and lanes in line with the settings. */
export function recover(db: DatabaseSync, { owner, now, order, ...schedule }: OutboxSettings & NewOwner): void {
	db.exec('BEGIN IMMEDIATE')
	db.prepare(`
		UPDATE events SET owner = NULL, lapses = lapses + 1 WHERE state = 'waiting' AND owner IS NOT NULL AND owner <> ?
	`).run(owner)
	const lanes = createLanes(db, order)
	const bury = db.prepare(`
		UPDATE events SET state = 'dead', head = 0, ended_at = ?, error = 'internal'
		WHERE state = 'waiting' AND owner IS NULL AND lapses >= ${maxLapses} RETURNING lane
	`)
	for (const { lane } of bury.all(now)) lanes.moveOn(lane)
	// A clock that was set back must not keep anybody waiting for longer than the schedule.
	db.prepare(`UPDATE events SET next_at = min(next_at, ?) WHERE state = 'waiting' AND next_at > ?`).run(
		now + longestWait(schedule),
		now + longestWait(schedule),
	)
	const known = db.prepare(`SELECT value FROM meta WHERE name = 'order'`).get()?.value
	if (!(known instanceof Uint8Array) || Buffer.from(known).toString() !== order) {
		reorder(db, order)
		db.prepare(`INSERT OR REPLACE INTO meta (name, value) VALUES ('order', ?)`).run(Buffer.from(order))
	}
	db.exec('COMMIT')
}

/** What conversations are hashed with; made with the file. Throws OutboxUnusable when a key is missing. */
export function saltOf(db: DatabaseSync, seal: Seal): string {
	checkKeys(db, seal)
	const row = db.prepare(`SELECT key, value FROM meta WHERE name = 'salt'`).get()
	const key = typeof row?.key === 'string' ? row.key : null
	const salt =
		row?.value instanceof Uint8Array ? seal.open('salt', { key, bytes: row.value }) : randomBytes(16).toString('hex')
	if (row === undefined || key !== seal.current) {
		const sealed = seal.seal('salt', salt)
		db.prepare(`INSERT OR REPLACE INTO meta (name, key, value) VALUES ('salt', ?, ?)`).run(sealed.key, sealed.bytes)
	}
	return salt
}

function checkKeys(db: DatabaseSync, seal: Seal): void {
	const rows = db
		.prepare(`
			SELECT key, count(*) AS count FROM (SELECT key FROM events UNION ALL SELECT key FROM meta) WHERE key IS NOT NULL
			GROUP BY key
		`)
		.all()
	for (const { key, count } of rows) {
		if (typeof key !== 'string' || seal.has(key)) continue
		const message = `The outbox has ${count} entries that are encrypted with the key ${key}, which is not configured.`
		throw new OutboxError('key', `${message} Append that key to "key".`)
	}
}
