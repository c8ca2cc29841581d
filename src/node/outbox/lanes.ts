/**
 * The order of a conversation: of its waiting events the head may be delivered, the others wait. Whatever ends the head
 * moves the next one up, so that no search for work ever passes over those that wait.
 */
import type { DatabaseSync } from 'node:sqlite'

export type Order = 'block' | 'overtake'

export interface Lanes {
	/** Whether an event that comes now may be delivered now. No lane: always. */
	isFree(lane: Uint8Array | null): boolean
	/** To be called after an event ended or failed, with its row's lane. */
	moveOn(lane: unknown): void
}

/** Lanes where a failing event keeps its place (`block`), or lets the others go before it (`overtake`). */
export function createLanes(db: DatabaseSync, order: Order): Lanes {
	const blocks = order === 'block' ? 1 : 0
	const holder = db.prepare(`
		SELECT 1 FROM events WHERE state = 'waiting' AND lane = ? AND (attempts = 0 OR ?) LIMIT 1
	`)
	const promote = db.prepare(`
		UPDATE events SET head = 1
		WHERE seq = (SELECT min(seq) FROM events WHERE state = 'waiting' AND lane = ?1 AND head = 0)
		AND NOT EXISTS (SELECT 1 FROM events WHERE state = 'waiting' AND lane = ?1 AND head = 1 AND (attempts = 0 OR ?2))
	`)
	return {
		isFree: (lane) => lane === null || holder.get(lane, blocks) === undefined,
		moveOn(lane) {
			if (lane instanceof Uint8Array) promote.run(lane, blocks)
		},
	}
}

/** Brings every lane into another order. */
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
