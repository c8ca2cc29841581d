/** The events that a conversation's object has accepted, in their order, until the upstream has taken them. */
import type { Outcome } from '../delivery/index.ts'

/** Events of one conversation that wait or were given up. */
const maxEvents = 1000

/** Milliseconds between two looks whether a dead letter was put back. */
const lookEvery = 24 * 60 * 60 * 1000

const tables = `
	CREATE TABLE IF NOT EXISTS deliveries (
		seq INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL,
		accepted_at INTEGER NOT NULL, failed INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0
	)`

/** The event whose turn it is. */
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

	/** Makes the table, where it is not there. */
	prepare(): void {
		this.#sql.exec(tables)
	}

	/** Stores an event behind all others; false when there are too many. */
	add(delivery: string): boolean {
		const { held } = this.#sql.exec<{ held: number }>('SELECT count(*) AS held FROM deliveries').one()
		if (held >= maxEvents) return false
		const now = Date.now()
		this.#sql.exec('INSERT INTO deliveries (delivery, accepted_at, due) VALUES (?, ?, ?)', delivery, now, now)
		return true
	}

	/** The oldest that is not given up: those behind it wait, however long it takes. */
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
