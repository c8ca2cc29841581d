/** What PostgreSQL does for a turn with a shared state, and for a one-way event: commits, log, room, CPU, connections. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readOutbox } from '../src/config/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { openOutbox } from '../src/node/outbox/open-outbox.ts'
import type { Call } from '../test/harness/http.ts'
import { open } from '../test/harness/load.ts'
import { conversing } from '../test/harness/platforms.ts'
import { type PostgresServer, startPostgres } from '../test/harness/postgres.ts'
import { has } from '../test/tools.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { configOf, startGateway } from './peers.ts'
import { cpuSecondsOfAll } from './processes.ts'
import { startUpstream } from './turns.ts'
import { route, target, call as turn } from './work.ts'

/** Calls a second, and for how many seconds: a rate at which a process is far from busy. */
const steady = { rate: 200, seconds: 15 }
const count = steady.rate * steady.seconds
const postgres = { env: 'DATABASE_URL', migrate: true }
const head = ['', 'A turn', 'A one-way event']

/** What a server has done so far. */
interface Done {
	readonly commits: number
	/** Bytes of its write-ahead log. */
	readonly log: number
	/** Seconds of CPU. */
	readonly cpu: number
}

export const database: Experiment = {
	...{ id: 'Database', title: `What the database does, at ${steady.rate} calls a second` },
	async run(trial) {
		if (!has('postgres')) {
			console.log('skipped: PostgreSQL is not installed')
			return { head, rows: [], figures: {}, targets: [] }
		}
		const server = await startPostgres(trial)
		const eventBytes = await roomOfEvent(trial, server)
		const url = await server.database()
		const upstream = await startUpstream(trial)
		const config = {
			...configOf(`${upstream.url}/hook`),
			outbox: { postgres },
			state: { postgres },
			routes: [route, conversing.route()],
		}
		const gateway = await startGateway(trial, config, { env: { DATABASE_URL: url } })
		const event = conversing.call(
			conversing.event('Where is my parcel?', { id: '{{id}}', conversation: '{{conversation}}' }),
		)
		const during = (call: (id: string) => Call) =>
			doneDuring(server, url, (name) => open(gateway.url, { ...steady, call: (n) => call(`${name}-${n}`) }))
		const turns = await during((id) => ({ path: target, body: withIds(turn, id) }))
		const [held] = await server.query(
			`SELECT sum(pg_total_relation_size(inhrelid))::float8 AS bytes FROM pg_inherits WHERE inhparent = 'dragoman.memories'::regclass`,
			url,
		)
		const turnBytes = Number(held?.bytes) / (2 * count)
		const events = await during((id) => ({ ...event, body: withIds(String(event.body), id) }))
		const [used] = await server.query(
			`SELECT count(*)::int AS connections FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dragoman'`,
			url,
		)
		const rows = [
			['Commits, each one round trip', round(turns.commits), round(events.commits)],
			['Write-ahead log, bytes', round(turns.log), round(events.log)],
			['Room, bytes', `${round(turnBytes)}, until its partition is emptied`, `${round(eventBytes)}, while it waits`],
			['CPU of the server, µs', round(turns.cpu), round(events.cpu)],
			['Connections of a gateway', String(used?.connections), 'the same ones'],
		]
		return {
			...{ head, rows, targets: [] },
			figures: {
				...{ 'turn commits': turns.commits, 'event commits': events.commits },
				...{ 'turn log, bytes': turns.log, 'event log, bytes': events.log },
				...{ 'turn room, bytes': turnBytes, 'event room, bytes': eventBytes },
				...{ 'turn server cpu': turns.cpu, 'event server cpu': events.cpu },
				connections: Number(used?.connections),
			},
		}
	},
}

function withIds(body: string, id: string): string {
	return body.replaceAll('{{id}}', id).replaceAll('{{conversation}}', `conversation of ${id}`)
}

async function doneBy(server: PostgresServer, url: string): Promise<Done> {
	// A connection reports its commits with a delay of up to a second.
	await wait(1500)
	const [row] = await server.query(
		`SELECT xact_commit::float8 AS commits, (pg_current_wal_insert_lsn() - '0/0')::float8 AS log
		FROM pg_stat_database WHERE datname = current_database()`,
		url,
	)
	return { commits: Number(row?.commits), log: Number(row?.log), cpu: cpuOf(server) }
}

/** What the server does for each of the calls, in microseconds of CPU. */
async function doneDuring(
	server: PostgresServer,
	url: string,
	load: (name: string) => Promise<unknown>,
): Promise<Done> {
	// What is done once, such as filling the cache of the catalogue, does not count.
	await load('first')
	const before = await doneBy(server, url)
	await load('second')
	const after = await doneBy(server, url)
	return {
		commits: (after.commits - before.commits) / count,
		log: (after.log - before.log) / count,
		cpu: ((after.cpu - before.cpu) / count) * 1e6,
	}
}

/** Seconds of CPU of the server, with all of its processes. */
function cpuOf({ folder }: PostgresServer): number {
	const [pid] = readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')
	return cpuSecondsOfAll(Number(pid))
}

/** Bytes that a waiting event takes, with its entries in the indexes. */
async function roomOfEvent(trial: Trial, server: PostgresServer): Promise<number> {
	const url = await server.database()
	const settings = readOutbox({ outbox: { postgres, schedule: ['1h'] }, routes: [] }, { DATABASE_URL: url })
	if (!settings) throw new Error('there is an outbox')
	const runtime = createRuntime(() => {})
	trial.after(() => runtime.close())
	const outbox = await openOutbox(settings, () => [], runtime)
	const { body = '' } = conversing.call(conversing.event('Where is my parcel?'))
	const request = { method: 'POST', query: [], headers: [], body: String(body) }
	const about = { route: 'bench', platform: conversing.name, receivedAt: new Date().toISOString(), request }
	const accept = (n: number) => outbox.accept([{ ...about, id: `turn_${n}`, conversation: `conversation ${n}` }])
	await Promise.all(Array.from({ length: count }, (_, n) => accept(n)))
	await outbox.close(0)
	const [row] = await server.query(`SELECT pg_total_relation_size('dragoman.events')::float8 AS bytes`, url)
	return Number(row?.bytes) / count
}
