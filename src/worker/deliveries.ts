/** The events that a conversation's object has accepted, in their order, until the upstream has taken them. */

/** Events of one conversation that wait or were given up. */
const maxEvents = 1000

const tables = `
	CREATE TABLE IF NOT EXISTS deliveries (
		seq INTEGER PRIMARY KEY AUTOINCREMENT, delivery TEXT NOT NULL,
		failed INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0
	)`

/** The event whose turn it is. */
export interface Head extends Record<string, SqlStorageValue> {
	readonly seq: number
	/** JSON. */
	readonly delivery: string
	/** Attempts that failed. */
	readonly failed: number
	readonly due: number
}

export class Deliveries {
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
		this.#sql.exec('INSERT INTO deliveries (delivery, due) VALUES (?, ?)', delivery, Date.now())
		return true
	}

	/** The oldest that is not given up: those behind it wait, however long it takes. */
	head(): Head | undefined {
		const [head] = this.#sql.exec<Head>(
			'SELECT seq, delivery, failed, due FROM deliveries WHERE dead = 0 ORDER BY seq LIMIT 1',
		)
		return head
	}

	delivered({ seq }: Head): void {
		this.#sql.exec('DELETE FROM deliveries WHERE seq = ?', seq)
	}

	retry({ seq }: Head, due: number): void {
		this.#sql.exec('UPDATE deliveries SET failed = failed + 1, due = ? WHERE seq = ?', due, seq)
	}

	/** Keeps it as a dead letter. */
	giveUp({ seq }: Head): void {
		this.#sql.exec('UPDATE deliveries SET failed = failed + 1, dead = 1 WHERE seq = ?', seq)
	}

	isEmpty(): boolean {
		return this.#sql.exec('SELECT 1 FROM deliveries LIMIT 1').toArray().length === 0
	}
}
