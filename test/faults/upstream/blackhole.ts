/** An upstream that neither accepts nor refuses connections. */

import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { own } from '../../harness/platforms.ts'
import { connectTo } from '../../harness/sockets.ts'
import { faultsOf, socketsTo } from '../health.ts'
import { none, over, type Row, type Trial } from '../row.ts'
import { each, heardOf, slowest, turnsWith, unexpected } from '../turns.ts'

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
