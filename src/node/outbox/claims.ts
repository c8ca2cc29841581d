/** Hands out events that are due to this process, which alone delivers them while it lives. */
import type { DatabaseSync } from 'node:sqlite'
import type { Encryption } from './encryption.ts'
import type { TransactionLimit } from './log-budget.ts'
import type { StoredOutcomes } from './stored-outcomes.ts'

/** An event that this process delivers. */
export interface Claimed {
	readonly id: string
	readonly route: string
	/** Undefined: it could not be decrypted, or is damaged. It is a dead letter now. */
	readonly payload: string | undefined
	/** Attempts that failed. */
	readonly failed: number
	/** Milliseconds since 1970. */
	readonly acceptedAt: number
	/** An earlier process ended while it delivered the event. */
	readonly interrupted: boolean
}

export interface Claims {
	/** Claims at most `count` events of a route, and no more than `fits` lets into the transaction. */
	claim(route: string, count: number, now: number, fits: TransactionLimit): Claimed[]
	/** When the next event of one of these routes is due. */
	nextDue(routes: readonly string[]): number | undefined
}

export function createClaims(
	db: DatabaseSync,
	encryption: Encryption,
	outcomes: StoredOutcomes,
	owner: string,
): Claims {
	// The limit is not a bare parameter: SQLite would make a plan anew for each number.
	const due = db.prepare(`
		SELECT seq, id, lane, key, payload, attempts, lapses, accepted_at FROM events
		WHERE state = 'waiting' AND head = 1 AND owner IS NULL AND route = ? AND next_at <= ? ORDER BY next_at, seq LIMIT +?
	`)
	const take = db.prepare('UPDATE events SET owner = ? WHERE seq = ?')
	const soonest = db.prepare(`
		SELECT min(next_at) AS at FROM events WHERE state = 'waiting' AND head = 1 AND owner IS NULL AND route = ?
	`)
	return {
		claim(route, count, now, fits) {
			const claimed: Claimed[] = []
			for (const { seq, id, lane, key, payload: bytes, attempts, lapses, accepted_at } of due.all(route, now, count)) {
				if (typeof id !== 'string' || !(bytes instanceof Uint8Array)) throw new Error('a row is not as its table')
				if (!fits(bytes.length)) break
				const place = Number(seq)
				take.run(owner, place)
				const conversation = lane instanceof Uint8Array ? lane : null
				outcomes.hold(id, { seq: place, route, lane: conversation, bytes: bytes.length })
				let payload: string | undefined
				try {
					payload = encryption.decrypt(id, { key: typeof key === 'string' ? key : null, bytes })
				} catch {
					outcomes.apply({ id, result: 'dead', error: 'outbox-failed' }, now)
				}
				const history = { failed: Number(attempts), acceptedAt: Number(accepted_at), interrupted: Number(lapses) > 0 }
				claimed.push({ id, route, payload, ...history })
			}
			return claimed
		},
		nextDue(routes) {
			const moments = routes.flatMap((route) => {
				const at = soonest.get(route)?.at
				return typeof at === 'number' ? [at] : []
			})
			return moments.length === 0 ? undefined : Math.min(...moments)
		},
	}
}
