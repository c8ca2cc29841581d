/** What the outbox does with its file: everything that came together in one transaction, and so one fsync. */
import { statfsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxSettings } from '../../config/index.ts'
import { firstAttempt, type Outcome } from '../../delivery/index.ts'
import { checkpoint, openAsOwner, unusable } from './database.ts'
import { createSeal, laneOf, type Seal } from './encryption.ts'
import { createLanes, type Lanes } from './lanes.ts'
import { sqlite, sqliteCode } from './outbox-error.ts'
import { recover, saltOf } from './recovery.ts'
import { sweep } from './retention.ts'

/** An event to be stored. */
export interface Entry {
	readonly id: string
	readonly route: string
	readonly conversation?: string
	/** What `Claimed` gives back. */
	readonly payload: string
}

/** How an attempt of an event ended. */
export type StoredOutcome = { readonly id: string } & Outcome

/** What is to be done in one transaction. */
export interface Round {
	/** Milliseconds since 1970. */
	readonly now: number
	readonly entries: readonly Entry[]
	readonly outcomes: readonly StoredOutcome[]
	/** How many events of each route are taken to be delivered. */
	readonly room: { readonly [route: string]: number }
}

/** An event that this process is to deliver; nobody else is given it while the process lives. */
export interface Claimed {
	readonly id: string
	readonly route: string
	/** Undefined: it could not be opened, and is a dead letter now. */
	readonly payload: string | undefined
	/** Attempts that failed. */
	readonly failed: number
	readonly acceptedAt: number
}

export interface RoundResult {
	/** One for each entry: stored, or why not. */
	readonly entries: readonly (undefined | 'outbox-full')[]
	readonly claimed: readonly Claimed[]
	/** When the next event of a route with room is due. */
	readonly nextAt: number | undefined
	/** Delivered and dead events that were deleted because they were too many. */
	readonly crowdedOut: number
}

export interface Store {
	/** The routes that have events waiting. */
	readonly routes: readonly string[]
	/** Returns when all of it is on stable storage. Throws when nothing is to be built upon the file any more. */
	round(round: Round): RoundResult
	close(): void
}

export interface StoreOptions extends OutboxSettings {
	/** Tells this process from those before it. */
	readonly owner: string
	/** Milliseconds since 1970, by the clock that the rounds are told. */
	readonly now: number
}

/** Milliseconds. */
const sweepEvery = 10_000
/** Milliseconds between two looks whether the log can give room back to a disk that is short. */
const shrinkEvery = 1000
/** Bytes of events after which the log is brought home, unless the file is small. */
const maxLog = 4 * 1024 * 1024
const pageBytes = 4096

/** Opens the outbox of this process. Throws OutboxUnusable. */
export function openStore(options: StoreOptions): Store {
	const { db, file, close } = openAsOwner(options.file)
	try {
		const seal = createSeal(options.keys)
		const lanes = createLanes(db, options.order)
		const salt = saltOf(db, seal)
		recover(db, options)
		return createStore({ db, file, close, seal, lanes, salt, options })
	} catch (thrown) {
		close()
		throw unusable(options.file, thrown)
	}
}

/** Takes the bytes of the next event. */
type Share = (bytes: number) => boolean

interface Parts {
	readonly db: DatabaseSync
	readonly file: string
	readonly close: () => void
	readonly seal: Seal
	readonly lanes: Lanes
	readonly salt: string
	readonly options: StoreOptions
}

function createStore({ db, file, close, seal, lanes, salt, options }: Parts): Store {
	const { owner, retention, maxBytes } = options
	// What ends an event must still find room when no more events are let in.
	const quota = Math.floor(maxBytes / pageBytes)
	const admitted = quota - Math.max(16, quota >> 4)
	const log = Math.min(maxLog, maxBytes / 8)
	// What is in the log has to find room in the file, and what ends an event in the log: a full disk could do neither.
	const spare = 4 * log
	/** Bytes of events that are in the file, of which one transaction changes the rows: each is written anew, and its old pages too. */
	const portion = log / 2
	db.exec(`PRAGMA max_page_count = ${quota}`)
	const pages = db.prepare('PRAGMA page_count')
	const free = db.prepare('PRAGMA freelist_count')
	const begin = db.prepare('BEGIN IMMEDIATE')
	const commit = db.prepare('COMMIT')
	const insert = db.prepare(`
		INSERT OR IGNORE INTO events (id, route, lane, head, accepted_at, next_at, key, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
	`)
	const deliver = db.prepare(`
		UPDATE events SET state = 'delivered', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = NULL
		WHERE id = ? AND owner = ? RETURNING lane
	`)
	const remove = db.prepare('DELETE FROM events WHERE id = ? AND owner = ? RETURNING lane')
	const retry = db.prepare(`
		UPDATE events SET attempts = attempts + 1, owner = NULL, next_at = ?, error = ? WHERE id = ? AND owner = ? RETURNING lane
	`)
	const postpone = db.prepare('UPDATE events SET owner = NULL, next_at = ?, error = ? WHERE id = ? AND owner = ?')
	const bury = db.prepare(`
		UPDATE events SET state = 'dead', attempts = attempts + 1, head = 0, owner = NULL, ended_at = ?, error = ?
		WHERE id = ? AND owner = ? RETURNING lane
	`)
	const due = db.prepare(`
		SELECT seq, id, key, payload, attempts, accepted_at FROM events
		WHERE state = 'waiting' AND head = 1 AND owner IS NULL AND route = ? AND next_at <= ? ORDER BY next_at, seq LIMIT ?
	`)
	const sizeOf = db.prepare('SELECT length(payload) AS bytes FROM events WHERE id = ?')
	const take = db.prepare('UPDATE events SET owner = ? WHERE seq = ?')
	const soonest = db.prepare(`
		SELECT min(next_at) AS at FROM events WHERE state = 'waiting' AND head = 1 AND owner IS NULL AND route = ?
	`)
	/** Pages in use, at most: asked for anew only when that would be too many. */
	let pagesUsed = used()
	let sweptAt = Number.NEGATIVE_INFINITY
	let unsaved = 0
	let shrunkAt = Number.NEGATIVE_INFINITY

	function used(): number {
		return Number(pages.get()?.page_count) - Number(free.get()?.freelist_count)
	}

	function diskIsShort(): boolean {
		const { bavail, bsize } = statfsSync(file)
		const left = bavail * bsize
		return left < log || left + Number(free.get()?.freelist_count) * pageBytes < spare
	}

	/** Whether no event may be let in, even when the log has given back what it keeps to write to again. */
	function mustRefuse(now: number): boolean {
		if (!diskIsShort()) return false
		if (now - shrunkAt < shrinkEvery) return true
		shrunkAt = now
		checkpoint(db, 'TRUNCATE')
		return diskIsShort()
	}

	function store({ id, route, conversation, payload }: Entry, now: number): undefined | 'outbox-full' {
		const { key, bytes } = seal.seal(id, payload)
		const needed = Math.ceil(bytes.length / pageBytes) + 2
		if (pagesUsed + needed > admitted) pagesUsed = used()
		if (pagesUsed + needed > admitted) return 'outbox-full'
		pagesUsed += needed
		const lane = conversation === undefined ? null : laneOf(salt, conversation)
		const at = firstAttempt(options, now, Math.random())
		insert.run(id, route, lane, lanes.isFree(lane) ? 1 : 0, now, at, key, bytes)
		unsaved += bytes.length + 2 * pageBytes
		return undefined
	}

	function settle(outcome: StoredOutcome, now: number): void {
		const { id } = outcome
		if (outcome.result === 'failed') lanes.moveOn(retry.get(outcome.nextAt, outcome.error, id, owner)?.lane)
		else if (outcome.result === 'postponed') postpone.run(outcome.until, outcome.error, id, owner)
		else if (outcome.result === 'dead') lanes.moveOn(bury.get(now, outcome.error, id, owner)?.lane)
		else if (retention.delivered > 0) lanes.moveOn(deliver.get(now, id, owner)?.lane)
		else lanes.moveOn(remove.get(id, owner)?.lane)
	}

	function claim(route: string, room: number, now: number, share: Share): Claimed[] {
		const claimed: Claimed[] = []
		for (const { seq, id, key, payload, attempts, accepted_at } of due.all(route, now, room)) {
			if (typeof id !== 'string' || !(payload instanceof Uint8Array)) throw new Error('a row does not match its table')
			if (!share(payload.length)) break
			take.run(owner, Number(seq))
			const facts = { id, route, failed: Number(attempts), acceptedAt: Number(accepted_at) }
			try {
				claimed.push({
					...facts,
					payload: seal.open(id, { key: typeof key === 'string' ? key : null, bytes: payload }),
				})
			} catch {
				lanes.moveOn(bury.get(now, 'outbox-failed', id, owner)?.lane)
				claimed.push({ ...facts, payload: undefined })
			}
		}
		return claimed
	}

	/** Says of one event after the other whether it still belongs to this transaction; the first always does. */
	function share(): Share {
		let bytes = 0
		let count = 0
		return (more) => {
			bytes += more
			if (count++ > 0 && bytes > portion) return false
			unsaved += 2 * more + pageBytes
			return true
		}
	}

	/** The outcomes as so many transactions take them. */
	function portionsOf(outcomes: readonly StoredOutcome[]): StoredOutcome[][] {
		const portions: StoredOutcome[][] = []
		let fits = share()
		for (const outcome of outcomes) {
			const bytes = Number(sizeOf.get(outcome.id)?.bytes ?? 0)
			if (!fits(bytes)) {
				fits = share()
				fits(bytes)
				portions.push([])
			}
			if (portions.length === 0) portions.push([])
			portions.at(-1)?.push(outcome)
		}
		return portions
	}

	function earliest(routes: readonly (readonly [name: string, count: number])[]): number | undefined {
		const moments = routes.flatMap(([name]) => {
			const at = soonest.get(name)?.at
			return typeof at === 'number' ? [at] : []
		})
		return moments.length === 0 ? undefined : Math.min(...moments)
	}

	function transact({ now, entries, outcomes, room }: Round, short: boolean): RoundResult {
		const routes = Object.entries(room).filter(([, count]) => count > 0)
		const sweeping = now - sweptAt >= sweepEvery
		if (entries.length + outcomes.length === 0 && !sweeping) {
			const nextAt = earliest(routes)
			if (nextAt === undefined || nextAt > now) return { entries: [], claimed: [], nextAt, crowdedOut: 0 }
		}
		begin.run()
		for (const outcome of outcomes) settle(outcome, now)
		const crowdedOut = sweeping ? sweep(db, retention, now) : 0
		if (sweeping) sweptAt = now
		const stored = entries.map((entry) => (short ? 'outbox-full' : store(entry, now)))
		const fits = share()
		const claimed = routes.map(([route, count]) => claim(route, count, now, fits))
		commit.run()
		// Where no room is left, the end of a delivery asks again.
		const withRoom = routes.filter(([, count], i) => count > (claimed[i]?.length ?? 0))
		return { entries: stored, claimed: claimed.flat(), nextAt: earliest(withRoom), crowdedOut }
	}

	/**
	 * The round on a disk, or in a file, that is full: what ends events may still fit, and makes room. To claim an event is
	 * to write it once more, so that of those which are due one is enough, and none where even that is too much.
	 */
	function transactInLittleRoom(round: Round): RoundResult {
		const routes = Object.keys(round.room).filter((route) => (round.room[route] ?? 0) > 0)
		const route = routes[Math.floor(Math.random() * routes.length)]
		const entries = round.entries.map(() => 'outbox-full' as const)
		const attempt = (room: Round['room']): RoundResult => {
			if (db.isTransaction) db.exec('ROLLBACK')
			checkpoint(db, 'TRUNCATE')
			return { ...transact({ ...round, entries: [], room }, false), entries }
		}
		try {
			return attempt(route === undefined ? {} : { [route]: 1 })
		} catch (thrown) {
			if (sqliteCode(thrown) !== sqlite.full) throw thrown
			return attempt({})
		}
	}

	function carryOut(round: Round): RoundResult {
		let result: RoundResult
		try {
			result = transact(round, round.entries.length > 0 && mustRefuse(round.now))
		} catch (thrown) {
			if (sqliteCode(thrown) !== sqlite.full) throw thrown
			result = transactInLittleRoom(round)
		}
		if (unsaved >= log) {
			checkpoint(db, 'PASSIVE')
			unsaved = 0
		}
		return result
	}

	const routes = db.prepare(`SELECT DISTINCT route FROM events WHERE state = 'waiting'`).all()

	return {
		routes: routes.map(({ route }) => String(route)),
		round(round) {
			const portions = portionsOf(round.outcomes)
			const last = portions.pop() ?? []
			const before = portions.map((outcomes) => carryOut({ ...round, entries: [], outcomes, room: {} }).crowdedOut)
			const result = carryOut({ ...round, outcomes: last })
			return { ...result, crowdedOut: before.reduce((sum, each) => sum + each, result.crowdedOut) }
		},
		close,
	}
}
