/** Takes over the events that earlier processes left in the file. */
import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { FileOutboxSettings } from '../../config/index.ts'
import { longestWait } from '../../delivery/index.ts'
import { createConversationOrder, reorder } from './conversation-order.ts'
import type { Opened } from './database.ts'
import type { Encryption } from './encryption.ts'
import { missingKey, sqlite, sqliteCode } from './outbox-error.ts'

/**
 * How often a process may end while it delivers an event, before the event is suspected to be the cause and becomes a dead
 * letter. Many, because a process that is killed again and again says little about the event.
 */
export const maxInterruptions = 100

/** The process that takes over, and its time. */
export interface NewOwner {
	readonly owner: string
	readonly now: number
}

/** A claim on an event that nobody delivers. */
export interface LostClaim {
	readonly seq: number
	/** An earlier process held it, and may have been delivering the event. */
	readonly interrupted: boolean
}

/**
 * The claims of earlier processes, and those of this one that are not among the `held` events: the answer to the batch that
 * made them was lost.
 */
export function findLostClaims(db: DatabaseSync, owner: string, held: readonly string[]): readonly LostClaim[] {
	const known = new Set(held)
	const rows = db.prepare(`SELECT seq, id, owner FROM events WHERE state = 'waiting' AND owner IS NOT NULL`).all()
	return rows
		.filter((row) => row.owner !== owner || !known.has(String(row.id)))
		.map((row) => ({ seq: Number(row.seq), interrupted: row.owner !== owner }))
}

/**
 * Releases claims. Returns those that are left, because the disk is full, although the log is written from its beginning
 * again.
 */
export function releaseClaims({ db, moveLog }: Opened, claims: readonly LostClaim[]): readonly LostClaim[] {
	const release = db.prepare('UPDATE events SET owner = NULL, lapses = lapses + ? WHERE seq = ?')
	const releaseOne = ({ seq, interrupted }: LostClaim) => release.run(interrupted ? 1 : 0, seq)
	const atOnce = fits(() => {
		db.exec('BEGIN IMMEDIATE')
		for (const claim of claims) releaseOne(claim)
		db.exec('COMMIT')
	})
	if (atOnce) return []
	if (db.isTransaction) db.exec('ROLLBACK')
	return claims.filter((claim) => {
		const run = () => releaseOne(claim)
		if (fits(run)) return false
		moveLog()
		return !fits(run)
	})
}

/** Whether the disk has room for a change. */
function fits(change: () => unknown): boolean {
	try {
		change()
		return true
	} catch (thrown) {
		if (sqliteCode(thrown) !== sqlite.full) throw thrown
		return false
	}
}

/** Ends events that were interrupted too often, and brings due times and order in line with the settings. */
export function recover(db: DatabaseSync, { now, order, ...schedule }: FileOutboxSettings & NewOwner): void {
	db.exec('BEGIN IMMEDIATE')
	const conversationOrder = createConversationOrder(db, order)
	const markDead = db.prepare(`
		UPDATE events SET state = 'dead', head = 0, ended_at = ?, error = 'internal'
		WHERE state = 'waiting' AND owner IS NULL AND lapses >= ${maxInterruptions} RETURNING lane
	`)
	for (const { lane } of markDead.all(now)) conversationOrder.advance(lane)
	// After the clock was set back, no event may wait for longer than the schedule's longest wait.
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

/** The salt of the conversations' hashes, made with the file. Throws an OutboxError if a key is missing. */
export function saltOf(db: DatabaseSync, encryption: Encryption): string {
	checkKeys(db, encryption)
	const row = db.prepare(`SELECT key, value FROM meta WHERE name = 'salt'`).get()
	const key = typeof row?.key === 'string' ? row.key : null
	const salt =
		row?.value instanceof Uint8Array
			? encryption.decrypt('salt', { key, bytes: row.value })
			: randomBytes(16).toString('hex')
	if (row === undefined || key !== encryption.current) {
		const encrypted = encryption.encrypt('salt', salt)
		db.prepare(`INSERT OR REPLACE INTO meta (name, key, value) VALUES ('salt', ?, ?)`).run(
			encrypted.key,
			encrypted.bytes,
		)
	}
	return salt
}

function checkKeys(db: DatabaseSync, encryption: Encryption): void {
	const rows = db.prepare('SELECT key FROM events UNION SELECT key FROM meta').all()
	for (const { key } of rows) {
		if (typeof key === 'string' && !encryption.ids.includes(key)) throw missingKey(key)
	}
}
