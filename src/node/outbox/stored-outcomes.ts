/** Writes down how attempts ended, for the events that this process had claimed. */
import type { DatabaseSync } from 'node:sqlite'
import type { Outcome } from '../../delivery/index.ts'
import type { ConversationOrder } from './conversation-order.ts'

/** How an attempt of an event ended. */
export type StoredOutcome = { readonly id: string } & Outcome

export interface StoredOutcomes {
	/** Changes nothing if the event is not one of this process any more. */
	apply(outcome: StoredOutcome, now: number): void
	/** Bytes of the event that an outcome is of. */
	sizeOf(outcome: StoredOutcome): number
}

/**
 * `keepDelivered`: delivered events stay in the file, for the retention to delete. `countEnded` is called with the bytes
 * of each event that has ended and stays.
 */
export function createStoredOutcomes(
	db: DatabaseSync,
	order: ConversationOrder,
	owner: string,
	keepDelivered: boolean,
	countEnded: (bytes: number) => void,
): StoredOutcomes {
	const keep = db.prepare(`
		UPDATE events SET state = 'delivered', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = NULL
		WHERE id = ? AND owner = ? RETURNING lane, length(payload) AS bytes
	`)
	const remove = db.prepare('DELETE FROM events WHERE id = ? AND owner = ? RETURNING lane')
	const retry = db.prepare(`
		UPDATE events SET attempts = attempts + 1, owner = NULL, next_at = ?, error = ? WHERE id = ? AND owner = ? RETURNING lane
	`)
	const postpone = db.prepare('UPDATE events SET owner = NULL, next_at = ?, error = ? WHERE id = ? AND owner = ?')
	const markDead = db.prepare(`
		UPDATE events SET state = 'dead', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = ?
		WHERE id = ? AND owner = ? RETURNING lane, length(payload) AS bytes
	`)
	const size = db.prepare('SELECT length(payload) AS bytes FROM events WHERE id = ?')
	function end(row: { readonly lane?: unknown; readonly bytes?: unknown } | undefined): void {
		if (row) countEnded(Number(row.bytes))
		order.advance(row?.lane)
	}

	return {
		apply(outcome, now) {
			const { id } = outcome
			switch (outcome.result) {
				case 'delivered':
					if (keepDelivered) end(keep.get(now, id, owner))
					else order.advance(remove.get(id, owner)?.lane)
					break
				case 'failed':
					order.advance(retry.get(outcome.nextAt, outcome.error, id, owner)?.lane)
					break
				case 'postponed':
					postpone.run(outcome.until, outcome.error, id, owner)
					break
				case 'dead':
					end(markDead.get(now, outcome.error, id, owner))
			}
		},
		sizeOf: ({ id }) => Number(size.get(id)?.bytes ?? 0),
	}
}
