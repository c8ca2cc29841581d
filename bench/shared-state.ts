/** What a turn costs when several Nodes share the state of conversations, beside the memory of one process. */
import { migrate } from '../src/node/postgres/migrations.ts'
import { send } from '../test/harness/http.ts'
import { startPostgres } from '../test/harness/postgres.ts'
import { startValkey, valkeyProgram } from '../test/harness/valkey.ts'
import { has } from '../test/tools.ts'
import { compare, figure, ratio, type Samples, type Subject } from './compare.ts'
import { type Experiment, round, type Target, type Trial } from './experiment.ts'
import { configOf, startGateway } from './peers.ts'
import { spread, startUpstream } from './turns.ts'
import { call, target } from './work.ts'

/** One place for the state. */
interface Place {
	readonly id: string
	readonly title: string
	/** The member of the configuration, and the environment that it names. Undefined: the server is not installed. */
	open(
		trial: Trial,
	): Promise<{ readonly state?: object; readonly env: { readonly [name: string]: string } } | undefined>
}

const places: readonly Place[] = [
	{ id: 'memory', title: 'Memory', open: async () => ({ env: {} }) },
	{
		...{ id: 'valkey', title: 'Valkey or Redis' },
		async open(trial) {
			if (valkeyProgram === undefined) return undefined
			const { url } = await startValkey(trial)
			return { state: { valkey: { env: 'STATE_URL' } }, env: { STATE_URL: url } }
		},
	},
	{
		...{ id: 'postgres', title: 'PostgreSQL' },
		async open(trial) {
			if (!has('postgres')) return undefined
			const url = await (await startPostgres(trial)).database()
			await migrate({ url, migrate: false })
			return { state: { postgres: { env: 'STATE_URL' } }, env: { STATE_URL: url } }
		},
	},
]

const connections = 32

export const sharedState: Experiment = {
	...{ id: 'State', title: `A turn with each state, on ${connections} connections` },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const subjects: Subject[] = []
		const titles = new Map<string, string>()
		for (const { id, title, open } of places) {
			const opened = await open(trial)
			if (!opened) {
				console.log(`without "${title}": its server is not installed`)
				continue
			}
			const { state, env } = opened
			const config = { ...configOf(`${upstream.url}/hook`), ...(state && { state }) }
			const running = await startGateway(trial, config, { env })
			await requireMemory(running.url, title)
			subjects.push({ id, running, target, call })
			titles.set(id, title)
		}
		const samples = await compare(trial, subjects, connections, trial.pace)
		return {
			head: ['', 'CPU a turn, µs', 'against memory', 'turns/s', 'p50, ms', 'p99, ms'],
			rows: subjects.map(({ id }) => [
				titles.get(id) ?? id,
				spread(figure(samples, id, 'cpu')),
				spread(ratio(samples, id, 'memory', 'cpu'), ' ×'),
				Math.round(figure(samples, id, 'rate').median).toLocaleString('en'),
				round(figure(samples, id, 'p50').median),
				round(figure(samples, id, 'p99').median),
			]),
			figures: Object.fromEntries(subjects.map(({ id }) => [`${id} cpu`, figure(samples, id, 'cpu').median])),
			targets: subjects
				.filter(({ id }) => id !== 'memory')
				.map(({ id }) => targetOf(samples, id, titles.get(id) ?? id)),
		}
	},
}

function targetOf(samples: Samples, id: string, title: string): Target {
	const reached = ratio(samples, id, 'memory', 'cpu').median
	return { what: `CPU with ${title} against memory`, reached, bound: 'most', limit: 1.5 }
}

/** Throws unless the second of two equal calls gets the answer to the first: a state that is away costs nothing. */
async function requireMemory(url: string, title: string): Promise<void> {
	const [first, second] = [await send(url, { path: target, body: call }), await send(url, { path: target, body: call })]
	if (first.status !== 200 || first.body !== second.body) throw new Error(`"${title}" remembers nothing`)
}
