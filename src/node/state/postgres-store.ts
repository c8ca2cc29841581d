/** The state of conversations in PostgreSQL. */
import { setTimeout as wait } from 'node:timers/promises'
import type { PostgresSettings } from '../../config/index.ts'
import { timedOut, withTimeout } from '../../timeout.ts'
import {
	type Client,
	connect,
	createPool,
	describeFailure,
	disconnect,
	requireWritable,
	type TimeLimits,
	versionOf,
} from '../postgres/connection.ts'
import { migrate, requireSchema } from '../postgres/migrations.ts'
import { batched } from './batches.ts'
import type { Begun, StateStore, StoreEvents } from './state-store.ts'

/** A step as `take_steps_1` reads it: see the migration. What is undefined is left out. */
interface Step {
	readonly kind: 'begin' | 'settle' | 'addLateReply' | 'takeLateReplies'
	/** The stored name. */
	readonly conversation: string
	readonly call?: string | undefined
	readonly fence?: number | undefined
	readonly lease?: number
	readonly choices?: 'read' | 'close' | undefined
	readonly answer?: string | undefined
	readonly reply?: string | undefined
	/** Bytes of the offers of the reply. */
	readonly offers?: number | undefined
}

/** What it returns for a step. */
interface Told {
	readonly word: string
	readonly value: string | null
}

/** Milliseconds that connecting and a statement may take; more where turns wait for longer. */
const leastLimit = 1000

/** Batches under way at once, each on a connection of its own, so that a slow one does not hold up all others. */
const underWay = 3
/** Connections of a gateway at most: those, and one that listens. */
export const mostConnections = underWay + 1
/** Milliseconds for which new asks collect: a statement costs the driver and the server as much as several of them. */
const collect = 5
/** Conversations that one transaction holds. */
const asksAtOnce = 64

/** Milliseconds between two tries to connect for messages, and between two looks whether that connection is still of use. */
const pause = 1000
const lookEvery = 5000
/** Milliseconds between two tries to empty the partition that is used next. */
const emptyEvery = 10 * 60_000

/** Opens the store in a database, which need not be there; `patience`: as in BatchLimits. */
export function openPostgresStore(
	settings: PostgresSettings,
	patience: number,
	{ wake, forgot }: StoreEvents,
): StateStore {
	const limit = Math.max(leastLimit, patience)
	const limits: TimeLimits = { connect: limit, statement: limit }
	const pool = createPool(settings, underWay, limits)
	const closing = new AbortController()
	const { signal } = closing
	/** Aborted when a batch has failed: then the connection that listens is looked at, for it would say nothing. */
	let doubt = new AbortController()

	async function run(steps: readonly Step[]): Promise<readonly Told[]> {
		try {
			const { rows } = await pool.query<Told>({
				name: 'dragoman_take_steps_1',
				text: 'SELECT word, value FROM dragoman.take_steps_1($1)',
				values: [JSON.stringify(steps)],
			})
			return rows
		} catch (thrown) {
			doubt.abort()
			throw new Error(describeFailure(thrown))
		}
	}
	const ask = batched(run, { underWay, collect, asks: asksAtOnce, patience })

	async function listen(): Promise<void> {
		while (!signal.aborted) {
			const client = await connect(settings, limits).catch(() => undefined)
			if (client) await hear(client).catch(() => {})
			if (client) void disconnect(client)
			await wait(pause, undefined, { ref: false, signal }).catch(() => {})
		}
	}

	/** Returns or rejects when the connection is of no use any more. */
	async function hear(client: Client): Promise<void> {
		client.on('notification', ({ payload }) => wake(payload))
		await client.query('LISTEN dragoman_state')
		wake(undefined)
		while (!signal.aborted) {
			const sooner = AbortSignal.any([signal, doubt.signal])
			await wait(lookEvery, undefined, { ref: false, signal: sooner }).catch(() => {})
			doubt = new AbortController()
			// After a failover, what was the primary may still answer, and tells nothing new.
			if ((await withTimeout(limit, requireWritable(client))) === timedOut) return
		}
	}

	async function emptyPartition(): Promise<void> {
		const failure = await pool.query('SELECT dragoman.empty_partition_1()').then(() => undefined, describeFailure)
		if (!signal.aborted) forgot(failure)
	}
	const emptying = setInterval(emptyPartition, emptyEvery).unref()
	const listening = listen()

	return {
		async begin(conversation, { claim, choices }) {
			return begunOf(await ask({ kind: 'begin', conversation, ...claim, choices }))
		},
		async settle(conversation, { claim, reply }) {
			const offers = reply === undefined ? undefined : Buffer.byteLength(reply.slice(reply.indexOf('\n') + 1))
			const { value } = await ask({ kind: 'settle', conversation, ...claim, reply, offers })
			return value === 'true'
		},
		async addLateReply(conversation, reply) {
			const { value } = await ask({ kind: 'addLateReply', conversation, reply })
			return value === 'true'
		},
		async takeLateReplies(conversation) {
			return textsOf(await ask({ kind: 'takeLateReplies', conversation }))
		},
		async identify() {
			if (settings.migrate) await migrate(settings)
			const client = await connect(settings, limits)
			try {
				await requireSchema(client)
				// The first time, for before this there may be no tables.
				void emptyPartition()
				return await versionOf(client)
			} finally {
				await disconnect(client)
			}
		},
		async close() {
			clearInterval(emptying)
			closing.abort()
			await Promise.all([pool.end(), listening])
		},
	}
}

function begunOf(told: Told): Begun {
	const { word, value } = told
	if (word === 'answer') return { answer: value ?? '' }
	if (word === 'pending') return { pending: Number(value) }
	return { replies: textsOf(told) }
}

function textsOf({ value }: Told): readonly string[] {
	return value === null ? [] : JSON.parse(value)
}
