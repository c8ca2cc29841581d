/** A database that a shared outbox cannot use for a while, and what becomes of events and turns meanwhile. */
import { setTimeout as wait } from 'node:timers/promises'
import { type PostgresServer, startPostgres } from '../harness/postgres.ts'
import { has } from '../tools.ts'
import { until } from '../until.ts'
import { none, type Outcome, over, type Row, type Trial, unless, untried } from './row.ts'
import { arrived, concurrency, preparedDatabase, startNodes, takeTurns, tellEvents } from './shared-outbox.ts'
import { slowest, tally, unexpected } from './turns.ts'

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
	/** What the log must say of it: each of them. */
	readonly causes: readonly RegExp[]
	/** Whether nothing can be stored meanwhile. */
	readonly stops: boolean
	/** Characters of an event besides its nonce. */
	readonly padding?: number
}

/** Events and turns go on through the trouble: what is acknowledged is stored, and turns never notice. */
export async function endure(trial: Trial, trouble: Trouble): Promise<Outcome> {
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
				trouble.causes.every((expected) => causes.some((cause) => expected.test(cause))),
				`the log does not say why: ${tally(causes)}`,
			),
		].map((sentence) => `${trouble.name}: ${sentence}`),
		missed: over(back / 1000, 10, (figure) => `${trouble.name}: events were accepted again after ${figure} s`),
	}
}

/** A row that needs a server of its own. */
export function databaseRow(
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

/** What every row demands of a database that cannot store. */
export const storedOrRejected =
	'events are acknowledged only when they are stored, and rejected with a typed 503 otherwise; 0 acknowledged events lost, order kept; turns keep their replies; accepted again by itself'
