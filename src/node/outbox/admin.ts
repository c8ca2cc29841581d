/** Administration of the events in a file, while a gateway may be delivering them. */
import { randomUUID } from 'node:crypto'
import type { FileOutboxSettings } from '../../config/index.ts'
import { createConversationOrder, placesBetween } from './conversation-order.ts'
import { openAsOwner, openBeside } from './database.ts'
import { createEncryption, hashConversation } from './encryption.ts'
import { OutboxError } from './outbox-error.ts'
import { changeInPortions, type Progress, pause } from './portions.ts'
import type { EventFilter, Records } from './records.ts'
import { saltOf } from './recovery.ts'

const columns = 'id, route, state, owner, attempts, accepted_at, next_at, error, length(payload) AS bytes'
const matches = '(?1 IS NULL OR id = ?1) AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR route = ?3)'

/** Opens the file beside a gateway that may be running. Throws an OutboxError. */
export function openAdmin(settings: FileOutboxSettings): Records {
	const opened = openBeside(settings.file)
	const { db, emptyLog, close } = opened
	const encryption = createEncryption(settings.keys)
	const conversationOrder = createConversationOrder(db, settings.order)
	const parameters = ({ id, state, route }: EventFilter) => [id ?? null, state ?? null, route ?? null]

	function changeEach(ids: readonly string[], change: (id: string) => boolean, progress: Progress): number {
		return changeInPortions(opened, settings.maxBytes, ids, change, progress)
	}

	/** Makes a function that deletes an event, if it still matches. */
	function remover(which: EventFilter): (id: string) => boolean {
		const remove = db.prepare(`DELETE FROM events WHERE id = ?4 AND ${matches} RETURNING lane`)
		return (id) => {
			const row = remove.get(...parameters(which), id)
			if (row) conversationOrder.advance(row.lane)
			return row !== undefined
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
		redrive(which, progress) {
			const ended = db.prepare(`SELECT id FROM events WHERE ${matches} AND state <> 'waiting' ORDER BY seq`)
			// It may have been put back, and delivered, since it was found.
			const laneOf = db.prepare(`SELECT lane FROM events WHERE id = ?4 AND ${matches} AND state <> 'waiting'`)
			const back = db.prepare(`
				UPDATE events SET state = 'waiting', seq = (SELECT max(seq) FROM events) + ${placesBetween}, head = ?, accepted_at = ?,
				attempts = 0, lapses = 0, next_at = 0, ended_at = NULL, error = NULL WHERE id = ?
			`)
			const putBack = (id: string): boolean => {
				const row = laneOf.get(...parameters(which), id)
				if (!row) return false
				const free = conversationOrder.isFree(row.lane instanceof Uint8Array ? row.lane : null)
				back.run(free ? 1 : 0, Date.now(), id)
				return true
			}
			return changeEach(idsOf(ended.iterate(...parameters(which))), putBack, progress)
		},
		drop(which, progress) {
			// The last first: otherwise those that follow in a conversation would be delivered meanwhile.
			const found = db.prepare(`SELECT id FROM events WHERE ${matches} ORDER BY seq DESC`)
			return changeEach(idsOf(found.iterate(...parameters(which))), remover(which), progress)
		},
		erase(conversation, progress) {
			const salt = saltOf(db, encryption)
			const routes = db.prepare('SELECT DISTINCT route FROM events').all()
			// The gateway's own name for a conversation has the route in it.
			const hashes = routes.map(({ route }) => hashConversation(salt, `${route} ${conversation}`))
			const among = hashes.map(() => '?').join()
			const found = db.prepare(`SELECT id FROM events WHERE lane IN (${among}) ORDER BY seq DESC`)
			const erased = changeEach(idsOf(found.iterate(...hashes)), remover({}), progress)
			// The rows were overwritten with zeros, but the log has them until it is emptied.
			let traceless = emptyLog()
			for (let tries = 0; !traceless && tries < 50; tries++) {
				pause(100)
				traceless = emptyLog()
			}
			const left = 'The log could not be truncated while the gateway was reading it. Run this command again.'
			return { erased, ...(!traceless && { left }) }
		},
		close,
	}
}

function idsOf(rows: Iterable<{ readonly id?: unknown }>): string[] {
	return Array.from(rows, ({ id }) => String(id))
}

/** Makes the file usable without its log. False: the log is not missing. Throws an OutboxError, also while a gateway runs. */
export function acceptLostLog({ file }: FileOutboxSettings): boolean {
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
