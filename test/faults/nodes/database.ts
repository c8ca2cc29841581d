/** The database of a shared outbox is ended, full, slow, read-only or out of reach, while events come and turns are taken. */
import { chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import { percentile } from '../../harness/load.ts'
import { type Network, startNetwork } from '../../harness/network.ts'
import { type PostgresServer, startPostgres } from '../../harness/postgres.ts'
import { empty, fill, smallDisk } from '../../harness/small-disk.ts'
import { has } from '../../tools.ts'
import { until } from '../../until.ts'
import { none, type Outcome, over, type Row, type Trial, unless, untried } from '../row.ts'
import {
	arrived,
	concurrency,
	preparedDatabase,
	startNodes,
	type Timed,
	takeTurns,
	tellEvents,
} from '../shared-outbox.ts'
import { slowest, tally, unexpected } from '../turns.ts'

/** What is done to a database. */
interface Trouble {
	/** In words, for the figures. */
	readonly name: string
	/** The URL that the Nodes use. */
	readonly url: string
	/** How often. */
	readonly times: number
	/** Milliseconds that each lasts after the first event was refused. */
	readonly lasts: number
	/** Resolves when it has begun. */
	begin(): unknown
	end(): unknown
	/** What the log must say of it. */
	readonly cause: RegExp
	/** Whether nothing can be stored meanwhile. */
	readonly stops: boolean
	/** Characters of an event besides its nonce. */
	readonly padding?: number
}

/** Events and turns go on through the trouble: what is acknowledged is stored, and turns never notice. */
async function endure(trial: Trial, trouble: Trouble): Promise<Outcome> {
	const cluster = await startNodes(trial, trouble.url)
	const [events, turns] = [tellEvents(trial, cluster, 16, 'x'.repeat(trouble.padding ?? 0)), takeTurns(trial, cluster)]
	const acceptedFrom = (from: number) =>
		events.said.flat().filter((turn) => turn.heard === 'accepted' && turn.from > from).length
	const refused = () => events.said.flat().filter(({ heard }) => heard !== 'accepted').length
	const broken: string[] = []
	let back = 0
	let unstored = 0
	for (let n = 0; n < trouble.times; n++) {
		const start = performance.now()
		if (!(await until(() => acceptedFrom(start) >= 32))) broken.push('no events were accepted before')
		const before = refused()
		await trouble.begin()
		const begun = performance.now()
		if (!(await until(() => refused() > before))) broken.push('no event was refused')
		await wait(trouble.lasts)
		if (trouble.stops) unstored += acceptedFrom(begun)
		await trouble.end()
		const ended = performance.now()
		if (!(await until(() => acceptedFrom(ended) > 0, 60_000))) broken.push('no event was accepted afterwards')
		back = Math.max(back, performance.now() - ended)
	}
	await Promise.all([events.stop(), turns.stop()])
	const { reached, broken: ill, duplicates } = await arrived(cluster, events.said)
	const [told, taken] = [events.said.flat(), turns.said.flat()]
	const bound = trouble.times * concurrency * cluster.nodes.length
	const causes = cluster.nodes.flatMap(({ lines }) => lines.flatMap(({ cause }) => String(cause ?? '')))
	return {
		reached: `${trouble.name} ${trouble.times} times: ${reached}; answers ${tally(told.map(({ heard }) => heard))}; accepts again after ${(back / 1000).toFixed(1)} s; ${taken.length} turns meanwhile, slowest ${slowest(taken).toFixed(0)} ms`,
		broken: [
			...broken,
			...ill,
			...none(unstored, 'events were acknowledged while nothing could be stored'),
			...unexpected(told, ['accepted', 'outbox-failed']),
			...unexpected(taken, ['reply']),
			...unless(
				!trouble.stops || duplicates <= bound,
				`${duplicates} duplicates, and no more than ${bound} were under way`,
			),
			...unless(
				causes.some((cause) => trouble.cause.test(cause)),
				`the log does not say why: ${tally(causes)}`,
			),
		].map((sentence) => `${trouble.name}: ${sentence}`),
		missed: over(back / 1000, 10, (figure) => `${trouble.name}: events were accepted again after ${figure} s`),
	}
}

/** Milliseconds. */
function p99Of(turns: readonly Timed[]): number {
	return percentile(
		turns.map(({ ms }) => ms),
		0.99,
	)
}

/** A row that needs a server of its own. */
function row(
	about: Pick<Row, 'id' | 'fault' | 'demand' | 'except'>,
	run: (trial: Trial, server: PostgresServer, url: string) => Promise<Outcome>,
): Row {
	return {
		...about,
		waits: 'busily',
		async run(trial) {
			if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
			const server = await startPostgres(trial)
			return await run(trial, server, await preparedDatabase(server))
		},
	}
}

const typed =
	'events are acknowledged only when they are stored, and rejected with a typed 503 otherwise; 0 acknowledged events lost, order kept; turns keep their replies; accepted again by itself'

export const databaseRestarts = row(
	{
		id: 'E2',
		fault: 'The database is restarted under load, in order and by SIGKILL of all its processes',
		demand: `10 restarts of each kind: ${typed}`,
	},
	async (trial, server, url) => {
		let killed = 0
		return await endure(trial, {
			...{ name: 'restarted', url, times: trial.at(2, 8, 20), lasts: trial.at(500, 1000, 3000) },
			...{ begin: () => server.stop(killed++ % 2 === 0 ? 'kill' : 'fast'), end: () => server.start() },
			...{ cause: /ECONNREFUSED/, stops: true },
		})
	},
)

export const connectionsUsedUp = row(
	{ id: 'E3', fault: 'The database has no connection to spare, and has ended those of the Nodes', demand: typed },
	async (trial, _, url) => {
		let others: Client[] = []
		let going = false
		/** Whether there was a connection left. */
		const takeOne = async (): Promise<boolean> => {
			const client = new Client({ connectionString: url })
			client.on('error', () => {})
			const taken = await client.connect().then(
				() => true,
				() => false,
			)
			if (taken) others.push(client)
			return taken
		}
		const evict = () =>
			others[0]?.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dragoman'`)
		/** A Node that was faster is put out again. */
		const hold = async (): Promise<void> => {
			while (going) {
				while (await takeOne());
				await evict()
				await takeOne()
				await wait(50)
			}
		}
		let holding = Promise.resolve()
		return await endure(trial, {
			...{ name: 'without connections', url, times: trial.at(1, 4, 10), lasts: trial.at(2500, 4000, 10_000) },
			begin() {
				going = true
				holding = hold()
			},
			async end() {
				going = false
				await holding
				const all = others
				others = []
				await Promise.all(all.map((client) => client.end()))
			},
			...{ cause: /too many clients|reserved for/, stops: false },
		})
	},
)

export const databaseFull = row(
	{
		id: 'E4',
		fault: 'The disk of the database is full, with other data',
		demand: typed,
		except: 'the disk is that of the tables; a server whose log finds no room ends itself, which is E2',
	},
	async (trial, server) => {
		const disk = smallDisk(trial, 40)
		if (disk === undefined) return untried('root', 'a small disk can be mounted by root only')
		const place = join(disk, 'tables')
		mkdirSync(place)
		const { uid, gid } = statSync(server.folder)
		for (const each of [disk, place]) chownSync(each, uid, gid)
		await server.query(`CREATE TABLESPACE small LOCATION '${place}'`)
		// Those databases that are made from now on.
		await server.query('ALTER SYSTEM SET default_tablespace = small')
		await server.query('SELECT pg_reload_conf()')
		await wait(200)
		const url = await preparedDatabase(server)
		return await endure(trial, {
			...{ name: 'full', url, times: trial.at(1, 4, 10), lasts: trial.at(1500, 3000, 10_000) },
			...{ begin: () => fill(disk), end: () => empty(disk), cause: /53100/, stops: false, padding: 20_000 },
		})
	},
)

export const readOnly = row(
	{
		id: 'E6',
		fault: 'The database is read-only after a failover, until the address leads to the primary again',
		demand: typed,
		except: 'the same server is made read-only and ends its connections; no standby takes over',
	},
	async (trial, server, url) => {
		const name = new URL(url).pathname.slice(1)
		const set = (value: string) => server.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${value}`)
		const cut = () =>
			server.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'dragoman'`)
		return await endure(trial, {
			...{ name: 'read-only', url, times: trial.at(1, 4, 10), lasts: trial.at(1500, 3000, 10_000) },
			...{ begin: () => set('on').then(cut), end: () => set('off'), cause: /read-only/, stops: true },
		})
	},
)

/** The database behind a network that can be treated badly. */
async function behindNetwork(trial: Trial, server: PostgresServer, url: string): Promise<[Network, string]> {
	const network = await startNetwork(trial, server.port)
	const far = new URL(url)
	far.port = String(network.port)
	return [network, far.href]
}

export const networkCut = row(
	{
		id: 'E7',
		fault: 'The network between the Nodes and the database is cut: nothing arrives, and nobody is told',
		demand: typed,
	},
	async (trial, server, url) => {
		const [network, far] = await behindNetwork(trial, server, url)
		return await endure(trial, {
			...{ name: 'cut', url: far, times: trial.at(1, 3, 10), lasts: trial.at(6000, 10_000, 30_000) },
			...{ begin: network.cut, end: network.restore, cause: /timeout|cannot be reached/i, stops: true },
		})
	},
)

export const farDatabase = row(
	{
		id: 'E5',
		fault: 'The database is 100 ms away, each way',
		demand:
			'every event acknowledged, p99 ≤ 1 s; 0 lost, order kept; turns keep their replies, and are not slower than the events',
	},
	async (trial, server, url) => {
		const [network, far] = await behindNetwork(trial, server, url)
		network.slowDown(100)
		const cluster = await startNodes(trial, far)
		const [events, turns] = [tellEvents(trial, cluster), takeTurns(trial, cluster)]
		await wait(trial.at(3000, 20_000, 60_000))
		await Promise.all([events.stop(), turns.stop()])
		const { reached, broken } = await arrived(cluster, events.said)
		const [told, taken] = [events.said.flat(), turns.said.flat()]
		const [p99, quickest] = [p99Of(told), Math.min(...told.map(({ ms }) => ms))]
		return {
			reached: `${reached}; acknowledged after ${quickest.toFixed(0)} ms at least, p99 ${p99.toFixed(0)} ms; ${taken.length} turns, p99 ${p99Of(taken).toFixed(0)} ms`,
			broken: [
				...broken,
				...unexpected(told, ['accepted']),
				...unexpected(taken, ['reply']),
				...unless(quickest >= 200, 'the database was not far away'),
			],
			missed: over(p99, 1000, (figure) => `acknowledged within ${figure} ms (p99)`),
		}
	},
)
