/** Stores what is delivered later in the outbox's file: everything that is known at the same time in one transaction, and so one fsync. */
import type { DatabaseSync } from 'node:sqlite'
import type { FileOutboxSettings } from '../../config/index.ts'
import { firstAttempt } from '../../delivery/index.ts'
import { type Admission, createAdmission } from './admission.ts'
import { type Claimed, createClaims } from './claims.ts'
import { type ConversationOrder, createConversationOrder, placesBetween } from './conversation-order.ts'
import { type Opened, openAsOwner, unusable } from './database.ts'
import { createEncryption, type Encryption, hashConversation } from './encryption.ts'
import { createLogBudget, type LogBudget } from './log-budget.ts'
import { sqlite, sqliteCode } from './outbox-error.ts'
import { findLostClaims, type LostClaim, recover, releaseClaims, saltOf } from './recovery.ts'
import { createReserve } from './reserve.ts'
import { createRetention } from './retention.ts'
import { createStoredOutcomes, type EntryRow, type StoredOutcome, type StoredOutcomes } from './stored-outcomes.ts'

/** What is stored together, or not at all. */
export interface Entry {
	readonly route: string
	readonly conversation?: string
	/** In the order of their delivery. */
	readonly rows: readonly EntryRow[]
	/** This process is delivering it already. */
	readonly underWay?: true
}

/** What one commit writes and claims. */
export interface Batch {
	/** Milliseconds since 1970. */
	readonly now: number
	readonly entries: readonly Entry[]
	readonly outcomes: readonly StoredOutcome[]
	/** How many events of each route to claim at most. */
	readonly room: { readonly [route: string]: number }
}

export interface Committed {
	/** One for each entry: stored, or why not. */
	readonly entries: readonly (undefined | 'outbox-full')[]
	readonly claimed: readonly Claimed[]
	/** When the next event of a route with room is due. */
	readonly nextAt: number | undefined
	/** Delivered and dead events that were deleted before their time because they took too many bytes. */
	readonly crowdedOut: number
	/** Outcomes for which the disk has no room now: to be part of a later batch. */
	readonly unstored?: readonly StoredOutcome[]
}

export interface Store {
	/** The routes that have waiting events. */
	readonly routes: readonly string[]
	/** Returns when everything is on stable storage. After it threw, the file must be opened anew. */
	commit(batch: Batch): Committed
	close(): void
}

export interface StoreOptions extends FileOutboxSettings {
	/** Tells this process from earlier ones. */
	readonly owner: string
	/** Milliseconds since 1970, by the clock of the batches. */
	readonly now: number
	/** What this owner has claimed, when it opens the file again. Absent: nothing. */
	readonly held?: readonly string[]
}

/** Milliseconds. */
const sweepEvery = 10_000
/** Milliseconds until a sweep goes on that left something. */
const sweepOn = 250
/** Milliseconds until a claim is tried again for which the disk had no room. */
const retryWhenFull = 1000

/** Opens the outbox for this process. Throws an OutboxError. */
export function openStore(options: StoreOptions): Store {
	const opened = openAsOwner(options.file, options)
	const { db, close } = opened
	try {
		const encryption = createEncryption(options.keys)
		const order = createConversationOrder(db, options.order)
		const salt = saltOf(db, encryption)
		// While there is no room for it on the disk, the events that are not released wait.
		const lost = releaseClaims(opened, findLostClaims(db, options.owner, options.held ?? []))
		recover(db, options)
		return createStore({ opened, encryption, order, salt, lost, options })
	} catch (thrown) {
		close()
		throw unusable(options.file, thrown)
	}
}

interface Parts {
	readonly opened: Opened
	readonly encryption: Encryption
	readonly order: ConversationOrder
	/** Conversations are hashed with it. */
	readonly salt: string
	/** Claims that are still to be released. */
	readonly lost: readonly LostClaim[]
	readonly options: StoreOptions
}

function createStore(parts: Parts): Store {
	const { db, moveLog, close } = parts.opened
	const { owner, retention, maxBytes } = parts.options
	const log = createLogBudget(moveLog, maxBytes)
	const admission = createAdmission(parts.opened, maxBytes, log.bytes)
	const reserve = createReserve(parts.opened, maxBytes, log)
	const retaining = createRetention(db, retention)
	const ended = createStoredOutcomes(db, parts, owner, retention.delivered > 0, retaining.countEnded)
	const claims = createClaims(db, parts.encryption, ended, owner)
	const newInsert = createInsert(db, parts, ended, admission, log)
	const begin = db.prepare('BEGIN IMMEDIATE')
	const end = db.prepare('COMMIT')
	let sweepAt = Number.NEGATIVE_INFINITY
	let { lost } = parts
	let releasedAt = parts.options.now

	function transact({ now, entries, outcomes, room }: Batch, isFull: boolean): Committed {
		const wanted = Object.entries(room).filter(([, count]) => count > 0)
		const sweeping = now >= sweepAt && retaining.isDue(now)
		if (now >= sweepAt) sweepAt = now + sweepEvery
		if (entries.length + outcomes.length === 0 && !sweeping) {
			const nextAt = claims.nextDue(wanted.map(([route]) => route))
			if (nextAt === undefined || nextAt > now) return { entries: [], claimed: [], nextAt, crowdedOut: 0 }
		}
		begin.run()
		for (const outcome of outcomes) ended.apply(outcome, now)
		const { crowdedOut, finished } = sweeping
			? retaining.sweep(now, log.newTransaction())
			: { crowdedOut: 0, finished: true }
		if (!finished) sweepAt = now + sweepOn
		const fits = log.newTransaction()
		const claimed = wanted.flatMap(([route, count]) => claims.claim(route, count, now, fits))
		const left = new Map(wanted)
		for (const { route } of claimed) left.set(route, (left.get(route) ?? 0) - 1)
		const insert = isFull ? () => 'outbox-full' as const : newInsert(now, left, claimed)
		const stored = entries.map(insert)
		// A route without room left gets its next claims when a delivery has ended.
		const withRoom = wanted.filter(([route]) => (left.get(route) ?? 0) > 0)
		const nextAt = claims.nextDue(withRoom.map(([route]) => route))
		end.run()
		return { entries: stored, claimed, nextAt, crowdedOut }
	}

	function rollBack(): void {
		if (db.isTransaction) db.exec('ROLLBACK')
		retaining.recount()
		ended.forget()
	}

	/** What `transact` returns; undefined if the disk or the file is full, even when the log is written from its beginning. */
	function transactIfRoom(batch: Batch): Committed | undefined {
		for (const retry of [false, true]) {
			if (retry) moveLog()
			try {
				return transact(batch, false)
			} catch (thrown) {
				rollBack()
				if (sqliteCode(thrown) !== sqlite.full) throw thrown
			}
		}
		return undefined
	}

	/**
	 * The batch on a disk, or in a file, that is full: what ends an event may still fit alone, and frees space. A claim
	 * rewrites its event, so it claims one event of one route, or none if even that does not fit.
	 */
	function commitWhenFull(batch: Batch): Committed {
		const alone = { ...batch, entries: [], outcomes: [], room: {} }
		const unstored = batch.outcomes.filter((outcome) => !transactIfRoom({ ...alone, outcomes: [outcome] }))
		const routes = Object.keys(batch.room).filter((route) => (batch.room[route] ?? 0) > 0)
		const route = routes[Math.floor(Math.random() * routes.length)]
		const committed = route === undefined ? undefined : transactIfRoom({ ...alone, room: { [route]: 1 } })
		return {
			entries: batch.entries.map(() => 'outbox-full'),
			claimed: committed?.claimed ?? [],
			nextAt: committed ? committed.nextAt : batch.now + retryWhenFull,
			crowdedOut: committed?.crowdedOut ?? 0,
			unstored,
		}
	}

	function commitOne(batch: Batch): Committed {
		let committed: Committed
		if (lost.length > 0 && batch.now - releasedAt >= sweepEvery) {
			lost = releaseClaims(parts.opened, lost)
			releasedAt = batch.now
		}
		try {
			const rows = batch.entries.flatMap((entry) => entry.rows)
			const full = rows.length > 0 && (admission.isFull(batch.now) || !reserve.makeRoom(rows))
			committed = transact(batch, full)
		} catch (thrown) {
			rollBack()
			if (sqliteCode(thrown) !== sqlite.full) throw thrown
			committed = commitWhenFull(batch)
		}
		log.moveIfDue(batch.now)
		return committed
	}

	/** The outcomes, divided into the transactions that the log has room for. */
	function divide(outcomes: readonly StoredOutcome[]): StoredOutcome[][] {
		const transactions: StoredOutcome[][] = []
		let fits = log.newTransaction()
		for (const outcome of outcomes) {
			const bytes = ended.sizeOf(outcome)
			if (!fits(bytes)) {
				fits = log.newTransaction()
				fits(bytes)
				transactions.push([])
			}
			if (transactions.length === 0) transactions.push([])
			transactions.at(-1)?.push(outcome)
		}
		return transactions
	}

	const routes = db.prepare(`SELECT DISTINCT route FROM events WHERE state = 'waiting'`).all()

	return {
		routes: routes.map(({ route }) => String(route)),
		commit(batch) {
			const transactions = divide(batch.outcomes)
			const last = transactions.pop() ?? []
			const earlier = transactions.map((outcomes) => commitOne({ ...batch, entries: [], outcomes, room: {} }))
			const committed = commitOne({ ...batch, outcomes: last })
			const all = [...earlier, committed]
			return {
				...committed,
				crowdedOut: all.reduce((sum, each) => sum + each.crowdedOut, 0),
				unstored: all.flatMap(({ unstored = [] }) => unstored),
			}
		},
		close,
	}
}

/** Inserts what is stored together, unless there is no room for it. */
type Insert = (entry: Entry) => undefined | 'outbox-full'

/**
 * Makes the function that inserts in one transaction. An event that is due is claimed as it is stored, where its route has
 * room `left`: it is written once, and need not be read.
 */
function createInsert(
	db: DatabaseSync,
	{ encryption, order, salt, options }: Parts,
	ended: StoredOutcomes,
	admission: Admission,
	log: LogBudget,
): (now: number, left: Map<string, number>, claimed: Claimed[]) => Insert {
	// A subquery for the last place would make a table of its own for each event.
	const last = db.prepare('SELECT coalesce(max(seq), 0) AS place FROM events')
	const insert = db.prepare(`
		INSERT OR IGNORE INTO events (seq, id, route, lane, head, owner, accepted_at, next_at, key, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	`)
	return (now, left, claimed) => {
		let place = Number(last.get()?.place)
		return ({ rows, route, conversation, underWay }) => {
			const encrypted = rows.map(({ id, payload }) => ({ id, payload, ...encryption.encrypt(id, payload) }))
			if (!admission.admit(encrypted.map(({ bytes }) => bytes.length))) return 'outbox-full'
			const hashed = conversation === undefined ? null : hashConversation(salt, conversation)
			const dueAt = firstAttempt(options, now, Math.random())
			for (const { id, payload, key, bytes } of encrypted) {
				const head = order.isFree(hashed)
				const room = left.get(route) ?? 0
				const starts = !underWay && head && dueAt <= now && room > 0
				const owner = underWay || starts ? options.owner : null
				place += placesBetween
				const { changes } = insert.run(place, id, route, hashed, head ? 1 : 0, owner, now, dueAt, key, bytes)
				log.countInsert(bytes.length)
				// If an earlier commit succeeded but its result was lost, the event is stored already.
				if (!starts || changes === 0) continue
				left.set(route, room - 1)
				ended.hold(id, { seq: place, route, lane: hashed, bytes: bytes.length })
				claimed.push({ id, route, payload, failed: 0, acceptedAt: now, interrupted: false })
			}
			return undefined
		}
	}
}
