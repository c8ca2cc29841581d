/**
 * The outbox in PostgreSQL, which several processes share. A batch is one transaction, in one round trip.
 *
 * Order: the events of a conversation are delivered in the order in which they were committed, whichever process accepted
 * and delivers them. Events that two processes accept at the same time have no order before that.
 */
import type { PostgresOutboxSettings } from '../../../config/index.ts'
import { describeFailure } from '../../postgres/connection.ts'
import { rowBytes } from '../../postgres/migrations/outbox-functions.ts'
import type { Claimed } from '../claims.ts'
import { createEncryption, type Encryption } from '../encryption.ts'
import { maxInterruptions } from '../recovery.ts'
import type { Batch, Committed } from '../store.ts'
import type { RemoteStore } from '../store-client.ts'
import type { StoredOutcome } from '../stored-outcomes.ts'
import { batchParameters, storable, valuesOf } from './batch-values.ts'
import { settleLostClaims } from './lost-claims.ts'
import { prepareOutbox } from './prepare.ts'
import { openSession, type Session } from './session.ts'

/** Milliseconds between two looks for processes that ended. */
const lookEvery = 1000
/** Milliseconds between two sweeps for old events, and until one goes on that left something. */
const sweepEvery = 10_000
const sweepOn = 250
/** Events that a sweep deletes at most. */
const swept = 500
/** Milliseconds between two calls of other processes for what is due, and has no room here. */
const notifyEvery = 100
/** Milliseconds until the next look for an event that is due, and that another process is taking. */
const contended = 10

/** Opens the outbox for this process. Rejects with a DatabaseUnusable, or with an OutboxError. */
export async function openPostgresStore(settings: PostgresOutboxSettings): Promise<RemoteStore> {
	const encryption = createEncryption(settings.keys)
	let onNews = () => {}
	const open = (earlier?: number) => openSession(settings.postgres, earlier, () => onNews())
	const first = await open()
	const { routes, salt, used } = await prepareOutbox(settings, encryption).catch(async (thrown) => {
		await first.close()
		throw thrown
	})
	const store = createStore({ first, open, settings, encryption, salt, used })
	return {
		...{ routes, ...store },
		onNews(run) {
			onNews = run
		},
	}
}

/** Those of the function that commits: five of the process, and those of the batch. */
const parameters = Array.from({ length: 5 + batchParameters }, (_, i) => `$${i + 1}`).join()

interface Parts {
	readonly first: Session
	open(earlier: number): Promise<Session>
	readonly settings: PostgresOutboxSettings
	readonly encryption: Encryption
	readonly salt: string
	/** Bytes of all events, when the outbox was opened. */
	readonly used: number
}

/** A row of the function that commits: an event that was claimed, or in the end the sum. */
interface Row {
	readonly id: string | null
	readonly route: string
	readonly lane: Buffer | null
	readonly key: string | null
	/** Null: of one of the new events. */
	readonly payload: Buffer | null
	readonly failed: number
	/** Milliseconds. */
	readonly age: number
	readonly interrupted: boolean
	/** Milliseconds until the next event is due. */
	readonly next_in: number | null
	/** A number with too many digits for a double is written as a text. */
	readonly used: string | null
}

/** A row of an event that was not one of the batch. */
type ClaimedRow = Row & { readonly id: string; readonly payload: Buffer }

function createStore(parts: Parts): Pick<RemoteStore, 'commit' | 'close'> {
	const { settings, encryption, salt } = parts
	const { retention, maxBytes } = settings
	const blocks = settings.order === 'block'
	let session: Session | undefined = parts.first
	let node = parts.first.node
	let { used } = parts
	let [lookedAt, sweepAt, notifiedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
	/** Lanes of the events that this process has claimed. */
	const lanes = new Map<string, Uint8Array | null>()
	/** What ends events that are damaged. */
	let damaged: StoredOutcome[] = []

	/** Which entries there is room for: other processes store meanwhile, so the limit is kept to within a batch of each. */
	function admit({ entries }: Batch): (undefined | 'outbox-full')[] {
		let bytes = used
		return entries.map(({ rows }) => {
			const needed = rows.reduce((sum, { payload }) => sum + Buffer.byteLength(payload) + rowBytes, 0)
			if (bytes + needed > maxBytes) return 'outbox-full'
			bytes += needed
			return undefined
		})
	}

	async function tidy({ client }: Session, now: number): Promise<number> {
		if (now - lookedAt >= lookEvery) {
			lookedAt = now
			await client.query('SELECT dragoman.take_back_1($1, $2, $3)', [node, blocks, maxInterruptions])
		}
		if (now < sweepAt) return 0
		const { rows } = await client.query<{ crowded_out: number; more: boolean }>(
			'SELECT * FROM dragoman.sweep_1($1, $2, $3, $4)',
			[retention.delivered, retention.dead, retention.maxBytes, swept],
		)
		sweepAt = now + (rows[0]?.more ? sweepOn : sweepEvery)
		return rows[0]?.crowded_out ?? 0
	}

	/** An event to be delivered. One that is damaged is a dead letter with the next batch. */
	function claimedOf({ id, route, key, payload: bytes, failed, age, interrupted }: ClaimedRow, now: number): Claimed {
		let payload: string | undefined
		try {
			payload = encryption.decrypt(id, { key, bytes })
		} catch {
			damaged.push({ id, result: 'dead', error: 'outbox-failed' })
		}
		return { id, route, payload, failed, acceptedAt: Math.round(now - age), interrupted }
	}

	async function commitIn(opened: Session, given: Batch): Promise<Committed> {
		const { now } = given
		const crowdedOut = await tidy(opened, now)
		const entries = admit(given)
		const ending = damaged
		const batch = {
			...given,
			entries: given.entries.filter((_, i) => entries[i] === undefined),
			outcomes: [...ending, ...given.outcomes],
		}
		const { values, events } = valuesOf(batch, { settings, encryption, salt, laneOf: (id) => lanes.get(id) ?? null })
		const mayNotify = now - notifiedAt >= notifyEvery
		if (mayNotify) notifiedAt = now
		const { rows } = await opened.client.query<Row>({
			name: 'commit',
			text: `SELECT * FROM dragoman.commit_1(${parameters})`,
			values: [node, blocks, retention.delivered > 0, encryption.ids, mayNotify, ...values],
		})
		damaged = []
		for (const { id } of batch.outcomes) lanes.delete(storable(id))
		for (const { id, mine, lane } of events) if (mine) lanes.set(id, lane)
		const byId = new Map(events.map((event) => [event.id, event]))
		const claimed = rows.flatMap((row): Claimed | [] => {
			if (row.id === null) return []
			const event = byId.get(row.id)
			// After this process had lost its connection, it has taken back what it is still delivering.
			const isUnderWay = lanes.has(row.id)
			lanes.set(row.id, event ? event.lane : row.lane)
			if (isUnderWay) return []
			const { id, payload } = row
			if (event && payload === null) {
				return { id, route: event.route, payload: event.payload, failed: 0, acceptedAt: now, interrupted: false }
			}
			return payload === null ? [] : claimedOf({ ...row, id, payload }, now)
		})
		const sum = rows.at(-1)
		used = Number(sum?.used ?? used)
		const nextIn = sum?.next_in ?? undefined
		const soonest = claimed.length > 0 ? 0 : contended
		const nextAt = nextIn === undefined ? undefined : now + Math.max(soonest, Math.ceil(nextIn))
		return { entries, claimed, nextAt, crowdedOut }
	}

	return {
		async commit(batch) {
			const isNew = !session?.isOpen()
			const opened = session?.isOpen() ? session : await parts.open(node)
			session = opened
			node = opened.node
			try {
				if (isNew) await settleLostClaims(opened, lanes, batch.outcomes)
				return await commitIn(opened, batch)
			} catch (thrown) {
				// It is unknown what was stored, and the connection may be gone; the server may not be the primary any more.
				session = undefined
				void opened.close()
				throw new Error(describeFailure(thrown), { cause: thrown })
			}
		},
		async close() {
			await session?.close()
			session = undefined
		},
	}
}
