/** The short-lived state of a conversation in its object: open choices, late replies, and answers to repeated calls. */
import { limits } from '../limits.ts'
import type { CanonicalReply } from '../model/index.ts'
import type { Beginning, OpenChoices, OpenReply, PickedSet, Settlement } from '../runtime.ts'
import { withReply } from '../turn/index.ts'

/** As in `State`, with the answer as JSON. */
export type StoredBegun = { readonly answer: string } | { readonly fence?: number; readonly open: OpenChoices }

/** Another call holds the claim, for at most this many milliseconds. */
export interface Pending {
	readonly pending: number
}

/** Milliseconds after which anything is deleted. */
export const lifetime = limits.rememberedTime.value * 60 * 60 * 1000

/** Milliseconds between two deletions of old data, at least. */
const clearEvery = 60 * 60 * 1000

/** Bytes of one row; the storage takes 2 MB. */
const maxRow = 1_900_000

const tables = `
	CREATE TABLE IF NOT EXISTS replies (
		one INTEGER PRIMARY KEY CHECK (one = 1), open TEXT NOT NULL, at INTEGER NOT NULL
	);
	CREATE TABLE IF NOT EXISTS calls (
		call TEXT PRIMARY KEY, fence INTEGER NOT NULL,
		until INTEGER NOT NULL, at INTEGER NOT NULL, answer TEXT
	) WITHOUT ROWID;
	CREATE TABLE IF NOT EXISTS late (seq INTEGER PRIMARY KEY, reply TEXT NOT NULL, at INTEGER NOT NULL)`

const utf8 = new TextEncoder()

/** Claims are stored, so they survive the instance that gave them; a call waits for one in the instance it called. */
export class ConversationState {
	readonly #sql: SqlStorage
	readonly #waiting = new Map<string, PromiseWithResolvers<void>>()

	constructor(sql: SqlStorage) {
		this.#sql = sql
	}

	/** Creates the tables if there are none. */
	prepare(): void {
		this.#sql.exec(tables)
	}

	/**
	 * As in `State`, with this fence. Returns at once, even if another call holds the claim. Can be repeated when the result
	 * was lost.
	 */
	begin({ claim, choices }: Beginning, fence: number): StoredBegun | Pending {
		const claimed = claim && this.#claim(claim.call, claim.lease, fence)
		if (claimed && !('fence' in claimed)) return claimed
		if (choices === 'close') this.#closeChoices()
		return { ...claimed, open: choices === 'read' ? this.#storedReplies() : [] }
	}

	/** Waits until no other call holds the claim. */
	async beginNext(beginning: Beginning, fence: number): Promise<StoredBegun> {
		for (;;) {
			const begun = this.begin(beginning, fence)
			if (!('pending' in begun)) return begun
			if (beginning.claim) await this.#settled(beginning.claim.call, begun.pending)
		}
	}

	/** As in `State`. Can be repeated when the result was lost. */
	settle({ claim, reply, picked }: Settlement): boolean {
		const whole = reply ? this.#addReply(reply, picked) : true
		if (claim) this.#release(claim)
		return whole
	}

	/** As in `State`. */
	addLateReply(reply: CanonicalReply): boolean {
		const [text, now] = [JSON.stringify(reply), Date.now()]
		const { held, bytes } = this.#sql
			.exec<{ held: number; bytes: number }>(
				'SELECT count(*) AS held, coalesce(sum(octet_length(reply)), 0) AS bytes FROM late WHERE at > ?',
				now - lifetime,
			)
			.one()
		if (held >= limits.lateReplies.value || bytes + sizeOf(text) > limits.lateRepliesBytes.value) return false
		this.#sql.exec('INSERT INTO late (reply, at) VALUES (?, ?)', text, now)
		return true
	}

	/** Replies as JSON, oldest first. */
	takeLateReplies(): string[] {
		const all = 'SELECT reply FROM late WHERE at > ? ORDER BY seq'
		const replies = this.#sql.exec<{ reply: string }>(all, Date.now() - lifetime).toArray()
		this.#sql.exec('DELETE FROM late')
		return replies.map(({ reply }) => reply)
	}

	#claim(call: string, lease: number, fence: number): { fence: number } | { answer: string } | Pending {
		const now = Date.now()
		const [row] = this.#sql.exec<{ fence: number; until: number; answer: string | null }>(
			'SELECT fence, until, answer FROM calls WHERE call = ? AND at > ?',
			...[call, now - lifetime],
		)
		if (typeof row?.answer === 'string') return { answer: row.answer }
		if (row?.fence === fence) return { fence }
		if (!row || row.until <= now) {
			const claimed = [call, fence, now + Math.ceil(lease), now]
			this.#sql.exec('INSERT OR REPLACE INTO calls (call, fence, until, at) VALUES (?, ?, ?, ?)', ...claimed)
			return { fence }
		}
		return { pending: row.until - now }
	}

	#release({ call, fence, answer }: NonNullable<Settlement['claim']>): void {
		const mine = [call, fence] as const
		const text = answer && JSON.stringify(answer)
		if (text === undefined || sizeOf(text) > maxRow) {
			this.#sql.exec('DELETE FROM calls WHERE call = ? AND fence = ? AND answer IS NULL', ...mine)
		} else {
			const now = Date.now()
			this.#sql.exec(
				'UPDATE calls SET answer = ?, at = ? WHERE call = ? AND fence = ? AND answer IS NULL AND until > ?',
				...[text, now, ...mine, now],
			)
			this.#bound()
		}
		this.#waiting.get(call)?.resolve()
	}

	/** Deletes what is old. Returns when to call it again, if anything is left. */
	expire(): number | undefined {
		const now = Date.now()
		const old = now - lifetime
		this.#sql.exec('DELETE FROM replies WHERE at <= ?', old)
		this.#sql.exec('DELETE FROM calls WHERE at <= ?', old)
		this.#sql.exec('DELETE FROM late WHERE at <= ?', old)
		const all = ['replies', 'calls', 'late'].map((table) => `SELECT at FROM ${table}`).join(' UNION ALL ')
		const oldest = `SELECT min(at) AS at FROM (${all})`
		const { at } = this.#sql.exec<{ at: number | null }>(oldest).one()
		return at === null ? undefined : Math.max(at + lifetime, now + clearEvery)
	}

	#addReply(reply: OpenReply, picked: PickedSet | undefined): boolean {
		const { open, whole } = withReply(this.#storedReplies(), reply, picked)
		if (open.length === 0) this.#closeChoices()
		else {
			const row = [JSON.stringify(open), Date.now()]
			this.#sql.exec('INSERT OR REPLACE INTO replies (one, open, at) VALUES (1, ?, ?)', ...row)
		}
		return whole
	}

	#closeChoices(): void {
		this.#sql.exec('DELETE FROM replies')
	}

	#storedReplies(): OpenChoices {
		const [row] = this.#sql.exec<{ open: string }>('SELECT open FROM replies WHERE at > ?', Date.now() - lifetime)
		return row ? JSON.parse(row.open) : []
	}

	async #settled(call: string, wait: number): Promise<void> {
		const waiting = this.#waiting.get(call) ?? Promise.withResolvers<void>()
		this.#waiting.set(call, waiting)
		const timer = setTimeout(waiting.resolve, wait)
		await waiting.promise
		clearTimeout(timer)
		if (this.#waiting.get(call) === waiting) this.#waiting.delete(call)
	}

	#bound(): void {
		this.#sql.exec(
			`DELETE FROM calls WHERE call IN (
				SELECT call FROM (
					SELECT call, row_number() OVER newest AS number, sum(octet_length(answer)) OVER newest AS size
					FROM calls WINDOW newest AS (ORDER BY at DESC, call)
				) WHERE number > ? OR size > ?
			)`,
			...[limits.rememberedAnswers.value, limits.rememberedAnswersBytes.value],
		)
	}
}

function sizeOf(text: string): number {
	return utf8.encode(text).byteLength
}
