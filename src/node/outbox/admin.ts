/** Administration of the stored events, while a gateway may be delivering them. */
import { randomUUID } from 'node:crypto'
import type { OutboxSettings } from '../../config/index.ts'
import { checkpoint } from './checkpoint.ts'
import { createConversationOrder } from './conversation-order.ts'
import { openAsOwner, openBeside } from './database.ts'
import { createEncryption, hashConversation } from './encryption.ts'
import { OutboxError } from './outbox-error.ts'
import { saltOf } from './recovery.ts'

/** An event without its content. */
export interface Row {
	readonly id: string
	readonly route: string
	readonly state: string
	/** A gateway is delivering it now. */
	readonly underWay: boolean
	readonly attempts: number
	/** Milliseconds since 1970. */
	readonly acceptedAt: number
	readonly nextAt: number
	/** The error code of its last attempt. */
	readonly error?: string
	readonly bytes: number
}

/** Selects the events that match every member. */
export interface EventFilter {
	readonly id?: string
	readonly state?: string
	readonly route?: string
}

export interface Records {
	list(which: EventFilter, limit: number): readonly Row[]
	/** The number of events by state. */
	counts(): readonly (readonly [state: string, count: number])[]
	/** The stored text of an event. Throws if its key is missing or it is damaged. */
	payload(id: string): string | undefined
	/** Puts dead and delivered events back, at the end of their conversations, with all attempts ahead of them. Returns their number. */
	redrive(which: EventFilter): number
	/** Deletes events. Returns their number. */
	drop(which: EventFilter): number
	/** Deletes a conversation on every route, and every trace of it from the files. */
	erase(conversation: string): { readonly erased: number; readonly traceless: boolean }
	close(): void
}

const columns = 'id, route, state, owner, attempts, accepted_at, next_at, error, length(payload) AS bytes'
const matches = '(?1 IS NULL OR id = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR route = ?3)'

/** Opens the file beside a gateway that may be running. Throws an OutboxError. */
export function openAdmin(settings: OutboxSettings): Records {
	const { db, moveLog, close } = openBeside(settings.file)
	const encryption = createEncryption(settings.keys)
	const conversationOrder = createConversationOrder(db, settings.order)
	const parameters = ({ id, state, route }: EventFilter) => [id ?? null, state ?? null, route ?? null]

	function atomically<T>(change: () => T): T {
		db.exec('BEGIN IMMEDIATE')
		try {
			const result = change()
			db.exec('COMMIT')
			return result
		} catch (thrown) {
			if (db.isTransaction) db.exec('ROLLBACK')
			throw thrown
		}
	}

	return {
		list(which, limit) {
			const rows = db.prepare(`SELECT ${columns} FROM events WHERE ${matches} ORDER BY seq LIMIT ?4`)
			return rows.all(...parameters(which), limit).map((row) => ({
				id: String(row.id),
				route: String(row.route),
				state: String(row.state),
				underWay: row.owner !== null,
				attempts: Number(row.attempts),
				acceptedAt: Number(row.accepted_at),
				nextAt: Number(row.next_at),
				...(row.error !== null && { error: String(row.error) }),
				bytes: Number(row.bytes),
			}))
		},
		counts() {
			const rows = db.prepare('SELECT state, count(*) AS count FROM events GROUP BY state ORDER BY state').all()
			return rows.map(({ state, count }) => [String(state), Number(count)] as const)
		},
		payload(id) {
			const row = db.prepare('SELECT key, payload FROM events WHERE id = ?').get(id)
			if (!(row?.payload instanceof Uint8Array)) return undefined
			return encryption.decrypt(id, { key: typeof row.key === 'string' ? row.key : null, bytes: row.payload })
		},
		redrive(which) {
			const ended = db.prepare(`SELECT seq, lane FROM events WHERE ${matches} AND state <> 'waiting' ORDER BY seq`)
			const back = db.prepare(`
				UPDATE events SET state = 'waiting', seq = (SELECT max(seq) + 1 FROM events), head = ?, accepted_at = ?,
				attempts = 0, lapses = 0, next_at = 0, ended_at = NULL, error = NULL WHERE seq = ?
			`)
			return atomically(() => {
				const rows = ended.all(...parameters(which))
				for (const { seq, lane } of rows) {
					const free = conversationOrder.isFree(lane instanceof Uint8Array ? lane : null)
					back.run(free ? 1 : 0, Date.now(), Number(seq))
				}
				return rows.length
			})
		},
		drop(which) {
			const remove = db.prepare(`DELETE FROM events WHERE ${matches} RETURNING lane`)
			return atomically(() => {
				const rows = remove.all(...parameters(which))
				for (const { lane } of rows) conversationOrder.advance(lane)
				return rows.length
			})
		},
		erase(conversation) {
			const salt = saltOf(db, encryption)
			const routes = db.prepare('SELECT DISTINCT route FROM events').all()
			const remove = db.prepare('DELETE FROM events WHERE lane = ?')
			const erased = atomically(() => {
				// The gateway's own name for a conversation has the route in it.
				const names = routes.map(({ route }) => `${route} ${conversation}`)
				return names.reduce((sum, name) => sum + Number(remove.run(hashConversation(salt, name)).changes), 0)
			})
			// The rows were overwritten with zeros, but the log has them until it is checkpointed and truncated.
			const traceless = checkpoint(db, 'TRUNCATE')
			moveLog()
			return { erased, traceless }
		},
		close,
	}
}

/** Makes the file usable without its log. False: the log is not missing. Throws an OutboxError, also while a gateway runs. */
export function acceptLostLog({ file }: OutboxSettings): boolean {
	const owner = randomUUID()
	try {
		openAsOwner(file, { owner }).close()
		return false
	} catch (thrown) {
		if (!(thrown instanceof OutboxError && thrown.reason === 'lost-log')) throw thrown
	}
	openAsOwner(file, { owner, acceptLostLog: true }).close()
	return true
}
