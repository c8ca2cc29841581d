/** The events that a conversation's object has accepted, in their order, until the upstream has taken them. */

/** Events of one conversation that wait or were given up. */
const maxEvents = 1000

const day = 24 * 60 * 60 * 1000
/** Milliseconds that a dead letter is kept. */
const keptFor = 30 * day
/** Milliseconds after which somebody looks whether one was put back. */
const lookEvery = day

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

	postpone({ seq }: Head, due: number): void {
		this.#sql.exec('UPDATE deliveries SET due = ? WHERE seq = ?', due, seq)
	}

	/** Keeps it as a dead letter: `dead` is when it became one. */
	giveUp({ seq }: Head): void {
		this.#sql.exec('UPDATE deliveries SET failed = failed + 1, dead = ? WHERE seq = ?', Date.now(), seq)
	}

	/** Forgets dead letters that are old; tells when to look at the others again, if there are any. */
	expire(): number | undefined {
		const now = Date.now()
		this.#sql.exec('DELETE FROM deliveries WHERE dead BETWEEN 1 AND ?', now - keptFor)
		const dead = this.#sql.exec('SELECT 1 FROM deliveries WHERE dead > 0 LIMIT 1').toArray()
		return dead.length > 0 ? now + lookEvery : undefined
	}
}
