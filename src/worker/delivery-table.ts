/** The table of a conversation's accepted events, in their order, until they are delivered. */
import type { Outcome } from '../delivery/index.ts'

/** Waiting events and dead letters of one conversation together. */
const maxEvents = 1000

/** Milliseconds between two checks whether a dead letter was put back. */
const lookEvery = 24 * 60 * 60 * 1000

const tables = `
	CREATE TABLE IF NOT EXISTS deliveries (
		seq INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL,
		accepted_at INTEGER NOT NULL, failed INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0
	)`

/** The next event to be delivered. */
export interface Head extends Record<string, SqlStorageValue> {
	readonly seq: number
	/** JSON. */
	readonly delivery: string
	/** Milliseconds since 1970, as `due`. */
	readonly acceptedAt: number
	/** Attempts that failed. */
	readonly failed: number
	readonly due: number
}

export class DeliveryTable {
	readonly #sql: SqlStorage

	constructor(sql: SqlStorage) {
		this.#sql = sql
	}

	/** Creates the table if there is none. */
	prepare(): void {
		this.#sql.exec(tables)
	}

	/** Stores an event behind all others. False: there are too many. */
	add(delivery: string): boolean {
		const { held } = this.#sql.exec<{ held: number }>('SELECT count(*) AS held FROM deliveries').one()
		if (held >= maxEvents) return false
		const now = Date.now()
		this.#sql.exec('INSERT INTO deliveries (delivery, accepted_at, due) VALUES (?, ?, ?)', delivery, now, now)
		return true
	}

	/** The oldest event that is no dead letter. Later ones wait for it. */
	head(): Head | undefined {
		const [head] = this.#sql.exec<Head>(
			'SELECT seq, delivery, accepted_at AS acceptedAt, failed, due FROM deliveries WHERE dead = 0 ORDER BY seq LIMIT 1',
		)
		return head
	}

	/** Writes down how an attempt ended. A dead letter stays: `dead` is when it became one. */
	apply({ seq }: Head, outcome: Outcome): void {
		const failed = 'UPDATE deliveries SET failed = failed + 1,'
		switch (outcome.result) {
			case 'delivered':
				this.#sql.exec('DELETE FROM deliveries WHERE seq = ?', seq)
				break
			case 'failed':
				this.#sql.exec(`${failed} due = ? WHERE seq = ?`, outcome.nextAt, seq)
				break
			case 'postponed':
				this.#sql.exec('UPDATE deliveries SET due = ? WHERE seq = ?', outcome.until, seq)
				break
			case 'dead':
				this.#sql.exec(`${failed} dead = ? WHERE seq = ?`, Date.now(), seq)
		}
	}

	/** Deletes dead letters older than so many milliseconds. Returns when to look at the others again, if there are any. */
	expire(retention: number): number | undefined {
		const now = Date.now()
		this.#sql.exec('DELETE FROM deliveries WHERE dead BETWEEN 1 AND ?', now - retention)
		const dead = this.#sql.exec('SELECT 1 FROM deliveries WHERE dead > 0 LIMIT 1').toArray()
		return dead.length > 0 ? now + lookEvery : undefined
	}
}
