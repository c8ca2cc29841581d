/**
 * The order of a conversation's events: only the head of the waiting events may be delivered. When a head ends, the next
 * event becomes the head, so that the search for due events never visits those that wait. The column `lane` holds the
 * conversation's hash.
 */
import type { DatabaseSync } from 'node:sqlite'

/** Whether a failing event keeps its place (`block`), or later ones are delivered before it (`overtake`). */
export type Order = 'block' | 'overtake'

/**
 * Places in the order of all events between two that were stored after each other. The pushes that an event leads to take
 * those before it, and so its place in its conversation. They are fewer.
 */
export const placesBetween = 4096

export interface ConversationOrder {
	/** Whether a new event of this conversation may be delivered now. No conversation: always. */
	isFree(conversation: Uint8Array | null): boolean
	/** Makes the next event the head. To be called with the row's `lane` after an event ended or failed. */
	advance(lane: unknown): void
}

export function createConversationOrder(db: DatabaseSync, order: Order): ConversationOrder {
	const holder = db.prepare(
		order === 'block'
			? `SELECT 1 FROM events WHERE state = 'waiting' AND lane = ? LIMIT 1`
			: `SELECT 1 FROM events WHERE state = 'waiting' AND lane = ? AND attempts = 0 LIMIT 1`,
	)
	// Where nothing overtakes, the first of those that wait is the head. The index tells it without their rows.
	const promote = db.prepare(
		order === 'block'
			? `UPDATE events SET head = 1
				WHERE seq = (SELECT min(seq) FROM events WHERE state = 'waiting' AND lane = ?) AND head = 0`
			: `UPDATE events SET head = 1
				WHERE seq = (SELECT min(seq) FROM events WHERE state = 'waiting' AND lane = ?1 AND head = 0)
				AND NOT EXISTS (SELECT 1 FROM events WHERE state = 'waiting' AND lane = ?1 AND head = 1 AND attempts = 0)`,
	)
	return {
		isFree: (conversation) => conversation === null || holder.get(conversation) === undefined,
		advance(lane) {
			if (lane instanceof Uint8Array) promote.run(lane)
		},
	}
}

/** Brings the waiting events of every conversation into another order. */
export function reorder(db: DatabaseSync, order: Order): void {
	const goes = order === 'block' ? 'FALSE' : 'attempts > 0'
	const holds = order === 'block' ? 'TRUE' : 'first.attempts = 0'
	db.exec(`
		UPDATE events SET head = (${goes}) OR seq = (
			SELECT coalesce(min(seq), 0) FROM events AS first
			WHERE first.state = 'waiting' AND first.lane = events.lane AND ${holds}
		)
		WHERE state = 'waiting' AND lane IS NOT NULL
	`)
}
