/** P9: events whose answer is not read, stored on disk before they are acknowledged. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { readOutbox } from '../src/config/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { openOutbox } from '../src/node/outbox/open-outbox.ts'
import { open } from '../test/harness/load.ts'
import { conversing } from '../test/harness/platforms.ts'
import { startPostgres } from '../test/harness/postgres.ts'
import { folder } from '../test/harness/scope.ts'
import { has } from '../test/tools.ts'
import { compare, figure, ratio } from './compare.ts'
import { type Experiment, round, type Trial } from './experiment.ts'
import { startGateway } from './peers.ts'
import type { Running } from './processes.ts'
import { spread, startUpstream } from './turns.ts'

/** Events a second, and for how many seconds. */
const steady = { rate: 1000, seconds: 8 }

/** Callers of the store alone, and seconds for which they call. */
const store = { callers: 256, seconds: 4 }

/** Measures how long the event loop is delayed, and tells it when it is asked to, in milliseconds. */
const delayTeller = `
	import { monitorEventLoopDelay } from 'node:perf_hooks'
	const delay = monitorEventLoopDelay({ resolution: 1 })
	delay.enable()
	process.on('SIGUSR2', () => {
		console.error('delay', delay.percentile(99) / 1e6)
		delay.reset()
	})
`

const titles: ReadonlyMap<string, string> = new Map([
	['passed', 'Acknowledged when the upstream has accepted it'],
	['stored', 'Acknowledged when it is on the disk'],
	['postgres', 'Acknowledged when PostgreSQL has it on its disk'],
])

export const oneWay: Experiment = {
	...{ id: 'P9', title: 'Events that are stored before they are acknowledged' },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const event = conversing.event('Where is my parcel?', { id: '{{id}}', conversation: '{{conversation}}' })
		const { path, body = '' } = conversing.call(event)
		const call = { target: path, call: String(body) }
		const config = { upstream: { url: `${upstream.url}/hook` }, routes: [conversing.route()] }
		const outbox = { file: join(folder(trial), 'outbox.db') }
		const args = ['--import', `data:text/javascript,${encodeURIComponent(delayTeller)}`]
		const storing = await startGateway(trial, { ...config, outbox }, { args })
		const passing = await startGateway(trial, config)
		const sharing = await startSharing(trial, config)
		const subjects = [
			{ id: 'passed', running: passing, ...call },
			{ id: 'stored', running: storing, ...call },
			...(sharing ? [{ id: 'postgres', running: sharing, ...call }] : []),
		]
		const samples = await compare(trial, subjects, 32, trial.pace)
		const cpu = ratio(samples, 'stored', 'passed', 'cpu').median
		const shared = ratio(samples, 'postgres', 'stored', 'cpu').median

		// What is still to be delivered would be part of the figures.
		await wait(2000)
		process.kill(storing.pid, 'SIGUSR2')
		let calls = 0
		const loaded = await open(storing.url, {
			...steady,
			call: () => ({
				path,
				body: call.call.replace('{{id}}', `steady-${++calls}`).replace('{{conversation}}', `${calls}`),
			}),
		})
		process.kill(storing.pid, 'SIGUSR2')
		await wait(200)
		const delay = Number(
			storing
				.said()
				.match(/^delay ([\d.]+)$/gm)
				?.at(-1)
				?.split(' ')[1],
		)
		const p99 = loaded.took(0.99)
		const alone = await storeAlone(trial)
		return {
			head: ['', 'CPU an event, µs', 'events/s', 'p99, ms'],
			rows: [
				...subjects.map(({ id }) => [
					titles.get(id) ?? id,
					spread(figure(samples, id, 'cpu')),
					Math.round(figure(samples, id, 'rate').median).toLocaleString('en'),
					round(figure(samples, id, 'p99').median),
				]),
				['The same, at a steady rate', '', String(steady.rate), round(p99)],
				[`The store alone, ${store.callers} callers`, '', Math.round(alone).toLocaleString('en'), ''],
			],
			figures: {
				...Object.fromEntries(subjects.map(({ id }) => [`${id} cpu`, figure(samples, id, 'cpu').median])),
				...{ 'store rate': alone, 'loop delay, ms': delay },
			},
			targets: [
				{ what: 'CPU against an event that is passed on', reached: cpu, bound: 'most', limit: 1.5 },
				...(sharing
					? [{ what: 'CPU in PostgreSQL against the file', reached: shared, bound: 'most', limit: 1.5 } as const]
					: []),
				{ what: `p99 at ${steady.rate} events/s`, reached: p99, bound: 'most', limit: 50, unit: 'ms' },
				{ what: 'delay of the event loop, p99', reached: delay, bound: 'most', limit: 10, unit: 'ms' },
				{ what: 'the store alone', reached: alone, bound: 'least', limit: 20_000, unit: 'events/s' },
			],
		}
	},
}

/** A gateway with its outbox in PostgreSQL. Undefined: it is not installed. */
async function startSharing(trial: Trial, config: object): Promise<Running | undefined> {
	if (!has('postgres')) {
		console.log('without PostgreSQL, which is not installed')
		return undefined
	}
	const outbox = { postgres: { env: 'DATABASE_URL', migrate: true } }
	const env = { DATABASE_URL: await (await startPostgres(trial)).database() }
	return await startGateway(trial, { ...config, outbox }, { env })
}

/** Events a second that the store takes. */
async function storeAlone(trial: Trial): Promise<number> {
	const settings = readOutbox({ outbox: { file: join(folder(trial), 'outbox.db'), schedule: ['1h'] }, routes: [] }, {})
	if (!settings) throw new Error('there is no outbox')
	const runtime = createRuntime(() => {})
	const outbox = await openOutbox(settings, () => [], runtime)
	const { body = '' } = conversing.call(conversing.event('Where is my parcel?'))
	const request = { method: 'POST', query: [], headers: [], body: String(body) }
	const about = { route: 'bench', platform: conversing.name, receivedAt: new Date().toISOString(), request }
	const from = performance.now()
	const until = from + store.seconds * 1000
	let accepted = 0
	const caller = async (conversation: string): Promise<void> => {
		while (performance.now() < until) {
			await outbox.accept([{ ...about, id: `turn_${++accepted}`, conversation }])
		}
	}
	await Promise.all(Array.from({ length: store.callers }, (_, i) => caller(`conversation ${i}`)))
	const seconds = (performance.now() - from) / 1000
	await outbox.close(0)
	await runtime.close()
	return accepted / seconds
}
