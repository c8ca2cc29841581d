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

/** The row of an event that this process has claimed. */
interface HeldRow {
	readonly seq: number
	readonly route: string
	/** The conversation's hash; null: it is of none. */
	readonly lane: Uint8Array | null
	/** Of its payload. */
	readonly bytes: number
}

export interface StoredOutcomes {
	/** Remembers the row of an event that is claimed, so that its outcome need not look for it. */
	hold(id: string, row: HeldRow): void
	/** To be called after a transaction was rolled back. */
	forget(): void
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
	/** As many as there are deliveries in progress. */
	const held = new Map<string, HeldRow>()
	// RETURNING would make a table of its own for each event.
	const find = db.prepare('SELECT seq, route, lane, length(payload) AS bytes FROM events WHERE id = ? AND owner = ?')
	// By its place, which a later event may have if this one was dropped.
	const itself = 'seq = ? AND id = ? AND owner = ?'
	const remove = db.prepare(`DELETE FROM events WHERE ${itself}`)
	const keep = db.prepare(`
		UPDATE events SET state = 'delivered', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = NULL
		WHERE ${itself}
	`)
	const retry = db.prepare(`
		UPDATE events SET attempts = attempts + 1, owner = NULL, next_at = ?, error = ? WHERE ${itself}
	`)
	const postpone = db.prepare(`UPDATE events SET owner = NULL, next_at = ?, error = ? WHERE ${itself}`)
	const markDead = db.prepare(`
		UPDATE events SET state = 'dead', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = ?
		WHERE ${itself}
	`)
	const insert = db.prepare(`
		INSERT OR IGNORE INTO events (seq, id, route, lane, head, accepted_at, next_at, key, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
	`)
	// A push of an event that was put back replaces what is left of the one before.
	const replace = db.prepare(`
		DELETE FROM events WHERE id = ? AND state <> 'waiting' RETURNING length(payload) AS bytes
	`)

	function rowOf(id: string): HeldRow | undefined {
		const known = held.get(id)
		if (known) return known
		const { seq, route, lane, bytes } = find.get(id, owner) ?? {}
		if (typeof seq !== 'number' || typeof route !== 'string') return undefined
		return { seq, route, lane: lane instanceof Uint8Array ? lane : null, bytes: Number(bytes) }
	}

	function end(
		{ seq, route, lane, bytes }: HeldRow,
		stays: boolean,
		now: number,
		pushes: readonly EntryRow[] = [],
	): void {
		if (stays) countEnded(bytes)
		for (const [i, { id, payload }] of pushes.entries()) {
			const encrypted = encryption.encrypt(id, payload)
			countEnded(-Number(replace.get(id)?.bytes ?? 0))
			const place = seq - pushes.length + i
			insert.run(place, id, route, lane, lane === null ? 1 : 0, now, now, encrypted.key, encrypted.bytes)
		}
		order.advance(lane)
	}

	return {
		hold: (id, row) => void held.set(id, row),
		forget: () => held.clear(),
		apply(outcome, now) {
			const { id } = outcome
			const row = rowOf(id)
			held.delete(id)
			if (!row) return
			const { seq, lane } = row
			switch (outcome.result) {
				case 'delivered': {
					const { changes } = keepDelivered ? keep.run(now, seq, id, owner) : remove.run(seq, id, owner)
					if (changes) end(row, keepDelivered, now, outcome.pushes)
					break
				}
				case 'failed': {
					const { changes } = retry.run(outcome.nextAt, wordsOf(outcome), seq, id, owner)
					if (changes && !outcome.keepsOrder) order.advance(lane)
					break
				}
				case 'postponed':
					postpone.run(outcome.until, outcome.error, seq, id, owner)
					break
				case 'dead': {
					const { changes } = markDead.run(now, wordsOf(outcome), seq, id, owner)
					if (changes) end(row, true, now, outcome.pushes)
				}
			}
		},
		sizeOf(outcome) {
			const { pushes = [] } = 'pushes' in outcome ? outcome : {}
			const rewritten = rowOf(outcome.id)?.bytes ?? 0
			return pushes.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), rewritten)
		},
	}
}

/** The error as operators see it: its code, and the words of a platform's API. */
function wordsOf({ error, reason }: { readonly error: string; readonly reason?: string }): string {
	return reason === undefined ? error : `${error} (${reason})`
}
