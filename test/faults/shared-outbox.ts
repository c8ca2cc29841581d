/** Several Nodes with one outbox in PostgreSQL, what they are told meanwhile, and what came of it. */
import { setTimeout as wait } from 'node:timers/promises'
import { migrate } from '../../src/node/postgres/migrations.ts'
import type { GatewayProcess, ProcessOptions } from '../harness/gateway.ts'
import { header, json, says, statusOnly } from '../harness/http.ts'
import { conversing, own } from '../harness/platforms.ts'
import { type PostgresServer, postgresPassword } from '../harness/postgres.ts'
import { oneOf } from '../harness/random.ts'
import type { Script, Upstream } from '../harness/upstream.ts'
import { delivered } from './accepting.ts'
import { replies } from './behaviours.ts'
import { faultsOf } from './health.ts'
import { none, type Trial, unless } from './row.ts'
import { nonceOf, type Turn, turnsWith } from './turns.ts'

/** Deliveries under way at once, of each Node. */
export const concurrency = 16
/** Milliseconds that a delivery takes at most, so that some are always under way. */
const longest = 20

/** An event that the upstream took: a copy each. */
interface Taken {
	readonly nonce: string
	/** The Node that sent it, by its number. */
	readonly node: string
	/** The id and the bytes: the same for every copy. */
	readonly what: string
}

/** Several Nodes, and their upstream. */
export interface Cluster {
	/** As they are now. */
	readonly nodes: readonly GatewayProcess[]
	readonly upstream: Upstream
	readonly taken: readonly Taken[]
	/** The most deliveries that were under way at once. */
	mostAtOnce(): number
	/** Starts another Node in the place of one, which is not called any more, and may have ended. */
	replace(place: number): Promise<void>
	/** What was wrong with any of them, those that were replaced included. */
	faults(): string[]
}

interface ClusterOptions {
	readonly count?: number
	/** More of the outbox. */
	readonly outbox?: object
	/** More of the configuration. */
	readonly more?: object
	/** What a turn gets. */
	readonly turn?: Script
	/** The status of an answer to an event. 200 by default. */
	status?(nonce: string): number
	options?(place: number): ProcessOptions
}

/** A new database with its tables; its URL. */
export async function preparedDatabase(server: PostgresServer): Promise<string> {
	const url = await server.database()
	await migrate({ url, migrate: false })
	return url
}

/** Starts Nodes with an encrypted outbox in the database at this URL, a route for events, and one for turns. */
export async function startNodes(
	trial: Trial,
	url: string,
	{ count = 2, outbox, more, turn = replies, status = () => 200, options }: ClusterOptions = {},
): Promise<Cluster> {
	const taken: Taken[] = []
	let [underWay, most] = [0, 0]
	const upstream = await trial.upstream({
		async '/events'(call, connection) {
			const nonce = nonceOf(call)
			most = Math.max(most, ++underWay)
			await connection.pause(longest * trial.random())
			underWay--
			const code = status(nonce)
			if (code !== 200) return statusOnly(code)
			const node = header(call, 'x-node') ?? ''
			taken.push({ nonce, node, what: `${header(call, 'webhook-id')} ${call.body}` })
			return json(says(''))
		},
		'/turns': turn,
	})
	const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
	const config = {
		outbox: { postgres: { env: 'DATABASE_URL' }, key: { env: 'KEY' }, concurrency, ...outbox },
		upstream: { url: `${upstream.url}/events`, sign: [{ env: 'SIGN' }], headers: { 'x-node': { env: 'NODE' } } },
		routes: [conversing.route(), own.route({ upstream: { url: `${upstream.url}/turns` } })],
		...more,
	}
	const all: GatewayProcess[] = []
	const ended = new Set<GatewayProcess>()
	let started = 0
	const startAt = async (place: number): Promise<GatewayProcess> => {
		const given = options?.(place) ?? {}
		const env = { KEY: key(1), SIGN: `whsec_${key(2)}`, NODE: `${started++}`, DATABASE_URL: url, ...given.env }
		return await trial.start(config, { ...given, env })
	}
	const nodes = await Promise.all(Array.from({ length: count }, (_, place) => startAt(place)))
	all.push(...nodes)
	return {
		...{ nodes, upstream, taken, mostAtOnce: () => most },
		async replace(place) {
			const [old] = nodes.slice(place)
			if (old) ended.add(old)
			const next = await startAt(place)
			all.push(next)
			nodes[place] = next
		},
		faults() {
			const told = all.filter((node) => node.written().includes(postgresPassword)).length
			return [
				...nodes.filter((node) => !ended.has(node)).flatMap(faultsOf),
				...none(told, 'Nodes wrote the password of the database'),
			]
		},
	}
}

/** A turn, and when it began. */
export type Timed = Turn & { readonly from: number }

/** What is told again and again, until it is stopped. */
export interface Telling {
	/** All of it so far, by conversations, each in its order. */
	readonly said: readonly (readonly Timed[])[]
	/** Calls without an answer yet. */
	underWay(): number
	stop(): Promise<void>
}

/** Callers, each with one call at a time, at any of the Nodes; each tells events of a conversation of its own. */
export function tellEvents(trial: Trial, cluster: Cluster, callers = 16, padding = ''): Telling {
	return tell(trial, cluster, callers, (take, caller) => {
		return take(conversing, undefined, { conversation: `c${caller}`, text: `${trial.nonce()}${padding}` })
	})
}

/** Callers that take turns, each of which waits for its reply. */
export function takeTurns(trial: Trial, cluster: Cluster, callers = 2): Telling {
	return tell(trial, cluster, callers, (take) => take(own))
}

function tell(
	{ random, ...trial }: Trial,
	{ nodes }: Cluster,
	callers: number,
	call: (take: ReturnType<typeof turnsWith>, caller: number) => Promise<Turn>,
): Telling {
	let going = true
	let underWay = 0
	const said = Array.from({ length: callers }, (): Timed[] => [])
	const telling = said.map(async (own, caller) => {
		while (going) {
			const from = performance.now()
			underWay++
			const alive = nodes.filter(({ process }) => process.exitCode === null && process.signalCode === null)
			const turn = await call(turnsWith({ random, ...trial }, oneOf(alive.length > 0 ? alive : nodes, random)), caller)
			underWay--
			own.push({ ...turn, from })
			// Who was refused waits a little.
			await wait(turn.answer.status === 200 ? longest * random() : 5 * longest)
		}
	})
	const over = Promise.all(telling)
	// Told by `stop`.
	over.catch(() => {})
	return {
		...{ said, underWay: () => underWay },
		async stop() {
			going = false
			await over
		},
	}
}

/** What became of events that several Nodes accepted. */
export interface Arrived {
	readonly accepted: number
	/** Copies beyond the first of each event. */
	readonly duplicates: number
	/** Events of which one process sent more than one copy: only a connection that was lost explains that. */
	readonly repeated: number
	/** The figures, in words. */
	readonly reached: string
	readonly broken: readonly string[]
}

/**
 * Waits until each event that was accepted has come to the upstream. Only these have an order: one that was not acknowledged
 * may still be stored.
 */
export async function arrived(cluster: Cluster, said: Telling['said'], patience = 60_000): Promise<Arrived> {
	const accepted = said.map((turns) => turns.filter(({ heard }) => heard === 'accepted').map(nonceIn))
	const all = accepted.flat()
	const { lost } = await delivered(all, (without) => cluster.taken.slice(without).map(({ nonce }) => nonce), patience)
	const copies = [...Map.groupBy(cluster.taken, ({ nonce }) => nonce).values()]
	const places = new Map<string, number>()
	for (const [place, { nonce }] of cluster.taken.entries()) if (!places.has(nonce)) places.set(nonce, place)
	const disordered = accepted.filter((nonces) => {
		const came = nonces.flatMap((nonce) => places.get(nonce) ?? [])
		return came.some((place, i) => place < (came[i - 1] ?? -1))
	}).length
	const duplicates = cluster.taken.length - copies.length
	const repeated = copies.filter((each) => new Set(each.map(({ node }) => node)).size < each.length).length
	return {
		...{ accepted: all.length, duplicates, repeated },
		reached: `${all.length} events accepted, ${lost} lost, ${duplicates} copies more, ${disordered} of ${said.length} conversations out of order`,
		broken: [
			...none(lost, `of ${all.length} accepted events were lost`),
			...none(disordered, 'conversations lost their order'),
			...none(
				copies.filter((each) => new Set(each.map(({ what }) => what)).size > 1).length,
				'events had copies of another id or body',
			),
			...unless(all.length >= said.length, `only ${all.length} events were accepted`),
			...cluster.faults(),
		],
	}
}

function nonceIn({ text }: Turn): string {
	return nonceOf({ body: text })
}
