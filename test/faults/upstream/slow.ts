/** Upstreams that are slow: one that takes no connection, one that answers late, one that drips. */

import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { answered, own } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import { connectTo } from '../../harness/sockets.ts'
import type { Script } from '../../harness/upstream.ts'
import { drips, replies, repliesAfter } from '../behaviours.ts'
import { faultsOf, slowestTurn, socketsTo, watchMemory } from '../health.ts'
import { none, over, type Row, type Trial, unless } from '../row.ts'
import { each, heardOf, mixedUp, nth, slowest, turnsWith, unexpected } from '../turns.ts'

export const blackhole: Row = {
	id: 'A2',
	fault: 'The upstream neither accepts nor refuses connections',
	demand: 'a typed answer within 1.6 s, which is 0.1 s after the connect timeout; its sockets are gone 2 s later',
	waits: 'busily',
	async run(trial) {
		const count = trial.at(20, 100, 500)
		const url = await hole(trial)
		const before = socketsTo(url)
		const gateway = await trial.start({
			upstream: { url },
			routes: [own.route(), own.route({ upstream: { url: 'builtin:demo' } }, 'warm')],
		})
		const take = turnsWith(trial, gateway)
		// What a process does first, it does slowly.
		await each(5 * count, count, () => take(own, 'warm'))
		const turns = await each(count, count, () => take(own))
		const during = socketsTo(url) - before
		await wait(2000)
		const left = socketsTo(url) - before
		const ms = slowest(turns)
		return {
			reached: `${heardOf(turns)}, slowest ${ms.toFixed(0)} ms; ${during} sockets at the last answer, ${left} left 2 s later`,
			broken: [...faultsOf(gateway), ...unexpected(turns, ['upstream-unreachable']), ...none(left, 'sockets are left')],
			missed: over(ms, 1600, (it) => `${it} ms, with ${count} concurrent turns`),
		}
	},
}

/** A thread that listens and never takes a connection: those beyond its backlog get no answer at all. */
const deaf = `
	const { parentPort } = require('node:worker_threads')
	const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
		parentPort.postMessage(server.address().port)
		setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
	})`

/** The URL of a port whose backlog is full. */
async function hole(trial: Trial): Promise<string> {
	const worker = new Worker(deaf, { eval: true })
	trial.after(() => worker.terminate())
	const port = await new Promise<number>((listening) => worker.once('message', listening))
	const url = `http://127.0.0.1:${port}`
	for (;;) {
		const socket = connectTo(url)
		trial.after(() => socket.destroy())
		const taken = new Promise<true>((done) => socket.once('connect', () => done(true)))
		if (!(await Promise.race([taken, wait(500, false as const)]))) return url
	}
}

/** Milliseconds until the upstream answers, and what is heard by then. */
const delays: readonly (readonly [ms: number, hears: readonly string[]])[] = [
	// A busy machine may lose the tenth of a second that is left.
	[8400, ['reply', 'upstream-timeout']],
	[8600, ['upstream-timeout']],
	[12_000, ['upstream-timeout']],
	[60_000, ['upstream-timeout']],
]
/** Milliseconds that the upstream of the hasty routes has. */
const hasty = 400

export const slow: Row = {
	id: 'A3',
	fault: 'The upstream answers after 8.4, 8.6, 12 or 60 s',
	demand:
		'1,000 concurrent calls: 100 % answered by 9.0 s, 0 later than 9.5 s; a late answer is dropped, 0 of 10,000 attached to another turn',
	waits: 'busily',
	async run(trial) {
		const { random } = trial
		const haste: Script = (...to) => repliesAfter(random() < 0.9 ? 0 : 2 * hasty * random())(...to)
		const upstream = await trial.upstream({
			...Object.fromEntries(delays.map(([ms]) => [`/${ms}`, repliesAfter(ms)])),
			'/hasty': haste,
		})
		const gateway = await trial.start({
			routes: answered.flatMap((platform) => [
				...delays.map(([ms]) =>
					platform.route({ upstream: { url: `${upstream.url}/${ms}` } }, `${platform.name}-${ms}`),
				),
				platform.route({ upstream: { url: `${upstream.url}/hasty`, timeout: hasty } }, `${platform.name}-hasty`),
			]),
		})
		const take = turnsWith(trial, gateway)

		const count = trial.at(100, 1000, 1000)
		const turns = await each(count, count, async (n) => {
			// Nobody calls a thousand times in one instant.
			await wait(random() * 3 * count)
			const platform = oneOf(answered, random)
			const [ms, hears] = nth(delays, n)
			return { ...(await take(platform, `${platform.name}-${ms}`)), hears }
		})
		const quick = await each(trial.at(500, 5000, 10_000), 50, () => {
			const platform = oneOf(answered, random)
			return take(platform, `${platform.name}-hasty`)
		})
		const mixed = [...turns, ...quick].filter(({ heard }) => heard === mixedUp).length
		const seconds = slowest(turns) / 1000
		return {
			reached: `${heardOf(turns)}, slowest ${seconds.toFixed(2)} s (${slowestTurn(gateway).toFixed(2)} s in the gateway); of ${quick.length} with a short timeout ${heardOf(quick)}, ${mixed} of another turn`,
			broken: [
				...faultsOf(gateway),
				...unexpected(quick, ['reply', 'upstream-timeout', 'upstream-circuit-open']),
				...turns.filter(({ hears, heard }) => !hears.includes(heard)).map(({ heard }) => `heard ${heard}`),
				...unless(seconds <= 20, `an answer came after ${seconds.toFixed(2)} s`),
				...unless(
					quick.some(({ heard }) => heard === 'upstream-timeout'),
					'no answer was late',
				),
			],
			missed: over(seconds, 9.05, (it) => `${it} s: the machine was busy`),
		}
	},
}

export const drip: Row = {
	id: 'A4',
	fault: 'The upstream sends one byte every 200 ms',
	demand: '200 concurrent calls: 100 % typed by 9.0 s, 0 later than 9.5 s, at most 256 kB of memory each',
	waits: 'idly',
	async run(trial) {
		const count = trial.at(100, 200, 1000)
		let dripping = false
		const upstream = await trial.upstream((...to) => (dripping ? drips(...to) : replies(...to)))
		const gateway = await trial.start({
			upstream: { url: upstream.url },
			routes: answered.map((platform) => platform.route()),
		})
		const take = turnsWith(trial, gateway)
		// What as many quick turns at once need is not what dripping costs.
		await each(4 * count, count, (n) => take(nth(answered, n)))
		dripping = true
		const grown = watchMemory(gateway)
		const turns = await each(count, count, (n) => take(nth(answered, n)))
		const kilobytes = (grown() * 1024) / count
		const seconds = slowest(turns) / 1000
		return {
			reached: `${heardOf(turns)}, slowest ${seconds.toFixed(2)} s, ${kilobytes.toFixed(0)} kB each`,
			broken: [
				...faultsOf(gateway),
				...unexpected(turns, ['upstream-timeout']),
				...unless(seconds <= 20, `an answer came after ${seconds.toFixed(2)} s`),
			],
			missed: [
				...over(seconds, 9.05, (it) => `${it} s: the machine was busy`),
				...over(kilobytes, 256, (it) => `${it} kB each, counting everything by which the process grew`),
			],
		}
	},
}
