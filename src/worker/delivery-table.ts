/** The table of a conversation's accepted deliveries, in their order, until they are made. */
import type { Outcome } from '../delivery/index.ts'

/** Waiting events and dead letters of one conversation together. */
const maxEvents = 1000

/**
 * Places between two deliveries that were stored after each other. The pushes that an event leads to take those before it,
 * and so its place. They are fewer.
 */
const placesBetween = 4096

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

/** The deliveries of one conversation, and its dead letters. Takes no more while it holds a thousand. */
export class DeliveryTable {
	readonly #sql: SqlStorage

	constructor(sql: SqlStorage) {
		this.#sql = sql
	}

	/** Creates the table if there is none. */
	prepare(): void {
		this.#sql.exec(tables)
	}

	/** Stores deliveries behind all others, due after so many milliseconds. False: there are too many. */
	add(deliveries: readonly string[], delay: number): boolean {
		const { held } = this.#sql.exec<{ held: number }>('SELECT count(*) AS held FROM deliveries').one()
		if (held + deliveries.length > maxEvents) return false
		const now = Date.now()
		// The last place that was ever taken, which is a column of AUTOINCREMENT's own table.
		const last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deliveries'"
		for (const delivery of deliveries) this.#insert(`(${last}) + ${placesBetween}`, delivery, now, now + delay)
		return true
	}

	#insert(place: string, delivery: string, acceptedAt: number, due: number): void {
		const insert = `INSERT INTO deliveries (seq, delivery, accepted_at, due) VALUES (${place}, ?, ?, ?)`
		this.#sql.exec(insert, delivery, acceptedAt, due)
	}

	/** The delivery with this id, if no attempt has failed and it has not ended. */
	findUntried(id: string): Pick<Head, 'seq'> | undefined {
		const found = "SELECT seq FROM deliveries WHERE dead = 0 AND failed = 0 AND json_extract(delivery, '$.id') = ?"
		const [row] = this.#sql.exec<{ seq: number }>(found, id)
		return row
	}

	/** The oldest event that is no dead letter. Later ones wait for it. */
	head(): Head | undefined {
		const [head] = this.#sql.exec<Head>(
			'SELECT seq, delivery, accepted_at AS acceptedAt, failed, due FROM deliveries WHERE dead = 0 ORDER BY seq LIMIT 1',
		)
		return head
	}

	/**
	 * Writes down how an attempt ended, unless the delivery has ended before. A dead letter stays, with the words of a
	 * platform's API: `dead` is when it became one. Pushes take its place.
	 */
	apply({ seq }: Pick<Head, 'seq'>, outcome: Outcome): void {
		const failed = 'UPDATE deliveries SET failed = failed + 1,'
		const waiting = 'WHERE seq = ? AND dead = 0'
		switch (outcome.result) {
			case 'delivered':
				this.#end(seq, outcome, this.#sql.exec(`DELETE FROM deliveries ${waiting} RETURNING 1`, seq))
				break
			case 'failed':
				this.#sql.exec(`${failed} due = ? ${waiting}`, outcome.nextAt, seq)
				break
			case 'postponed':
				this.#sql.exec(`UPDATE deliveries SET due = ? ${waiting}`, outcome.until, seq)
				break
			case 'dead': {
				const why = `${failed} dead = ?, delivery = json_set(delivery, '$.reason', ?) ${waiting} RETURNING 1`
				const reason = outcome.reason ?? outcome.error
				this.#end(seq, outcome, this.#sql.exec(why, Date.now(), reason, seq))
			}
		}
	}

	#end(
		seq: number,
		{ pushes = [] }: Extract<Outcome, { readonly result: 'delivered' | 'dead' }>,
		ended: SqlStorageCursor<Record<string, SqlStorageValue>>,
	): void {
		if (ended.toArray().length === 0) return
		const now = Date.now()
		for (const [i, push] of pushes.entries()) {
			this.#insert(`${seq - pushes.length + i}`, JSON.stringify(push), now, now)
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
