/** Writes down how attempts ended, for the events that this process had claimed. */
import type { DatabaseSync } from 'node:sqlite'
import type { Outcome } from '../../delivery/index.ts'
import type { ConversationOrder } from './conversation-order.ts'
import type { Encryption } from './encryption.ts'

/** One delivery to be stored. */
export interface EntryRow {
	readonly id: string
	/** What `Claimed` gives back. */
	readonly payload: string
}

/** How an attempt ended, with the pushes as they are stored. */
export type StoredOutcome = {
	readonly id: string
	/** It is a push: it is not overtaken by what was stored behind it. */
	readonly keepsOrder?: true
} & (WithRows<'delivered'> | WithRows<'dead'> | Exclude<Outcome, { readonly result: 'delivered' | 'dead' }>)

type WithRows<Result> = Omit<Extract<Outcome, { readonly result: Result }>, 'pushes'> & {
	readonly pushes?: readonly EntryRow[]
}

export interface StoredOutcomes {
	/** Changes nothing if the event is not one of this process any more. */
	apply(outcome: StoredOutcome, now: number): void
	/** Bytes that an outcome rewrites: those of its event, and of the pushes in its place. */
	sizeOf(outcome: StoredOutcome): number
}

/**
 * `keepDelivered`: delivered events stay in the file, for the retention to delete. `countEnded` is called with the bytes
 * of each event that has ended and stays; negative: it went.
 */
export function createStoredOutcomes(
	db: DatabaseSync,
	{ order, encryption }: { readonly order: ConversationOrder; readonly encryption: Encryption },
	owner: string,
	keepDelivered: boolean,
	countEnded: (bytes: number) => void,
): StoredOutcomes {
	// RETURNING would make a table of its own for each event.
	const find = db.prepare('SELECT seq, route, lane, length(payload) AS bytes FROM events WHERE id = ? AND owner = ?')
	const remove = db.prepare('DELETE FROM events WHERE seq = ?')
	const keep = db.prepare(`
		UPDATE events SET state = 'delivered', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = NULL
		WHERE seq = ?
	`)
	const retry = db.prepare(`
		UPDATE events SET attempts = attempts + 1, owner = NULL, next_at = ?, error = ? WHERE seq = ?
	`)
	const postpone = db.prepare('UPDATE events SET owner = NULL, next_at = ?, error = ? WHERE seq = ?')
	const markDead = db.prepare(`
		UPDATE events SET state = 'dead', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = ?
		WHERE seq = ?
	`)
	const insert = db.prepare(`
		INSERT OR IGNORE INTO events (seq, id, route, lane, head, accepted_at, next_at, key, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
	`)
	// A push of an event that was put back replaces what is left of the one before.
	const replace = db.prepare(`
		DELETE FROM events WHERE id = ? AND state <> 'waiting' RETURNING length(payload) AS bytes
	`)

	function end(
		{ seq, route, lane, bytes }: HeldRow,
		stays: boolean,
		now: number,
		pushes: readonly EntryRow[] = [],
	): void {
		if (stays) countEnded(Number(bytes))
		const conversation = lane instanceof Uint8Array ? lane : null
		for (const [i, { id, payload }] of pushes.entries()) {
			const encrypted = encryption.encrypt(id, payload)
			countEnded(-Number(replace.get(id)?.bytes ?? 0))
			const place = Number(seq) - pushes.length + i
			const head = conversation === null ? 1 : 0
			insert.run(place, id, String(route), conversation, head, now, now, encrypted.key, encrypted.bytes)
		}
		order.advance(lane)
	}

	return {
		apply(outcome, now) {
			const held: HeldRow | undefined = find.get(outcome.id, owner)
			if (!held) return
			const seq = Number(held.seq)
			switch (outcome.result) {
				case 'delivered':
					if (keepDelivered) keep.run(now, seq)
					else remove.run(seq)
					end(held, keepDelivered, now, outcome.pushes)
					break
				case 'failed':
					retry.run(outcome.nextAt, wordsOf(outcome), seq)
					if (!outcome.keepsOrder) order.advance(held.lane)
					break
				case 'postponed':
					postpone.run(outcome.until, outcome.error, seq)
					break
				case 'dead':
					markDead.run(now, wordsOf(outcome), seq)
					end(held, true, now, outcome.pushes)
			}
		},
		sizeOf(outcome) {
			const { pushes = [] } = 'pushes' in outcome ? outcome : {}
			const rewritten = Number(find.get(outcome.id, owner)?.bytes ?? 0)
			return pushes.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), rewritten)
		},
	}
}

/** An event that this process had claimed. */
interface HeldRow {
	readonly seq?: unknown
	readonly route?: unknown
	readonly lane?: unknown
	readonly bytes?: unknown
}

/** The error as operators see it: its code, and the words of a platform's API. */
function wordsOf({ error, reason }: { readonly error: string; readonly reason?: string }): string {
	return reason === undefined ? error : `${error} (${reason})`
}
