/** The process is stopped while clients call it, some of which never finish. */

import { setTimeout as wait } from 'node:timers/promises'
import { hold } from '../../harness/held.ts'
import { message } from '../../harness/http.ts'
import { callers, type Loaded } from '../../harness/load.ts'
import { ownTo } from '../../harness/platforms.ts'
import { connectTo } from '../../harness/sockets.ts'
import { none, over, type Row, unless } from '../row.ts'

/** Milliseconds within which a process has ended, however its callers behave. */
const limit = 10_000
/** Milliseconds beyond it that no busy machine explains. */
const clearly = 5000

export const restarts: Row = {
	id: 'B4',
	fault: 'SIGTERM, repeatedly, under load on a held socket',
	demand: '10 restarts with 64 clients: 0 refused, 0 broken, slowest ≤ 1 s more than a process takes to start',
	async run(trial) {
		const held = hold(trial, ownTo('builtin:demo'))
		let pid = await held.gateway(1)
		const call = () => ({ path: '/own', body: message('Hi') })
		const going = [true, false].map((oneCallEach) => callers(held.url(), { callers: 32, oneCallEach, call }))
		let start = 0
		const count = trial.at(3, 10, 30)
		for (let number = 1; number <= count; number++) {
			await wait(300)
			const from = performance.now()
			process.kill(pid, 'SIGTERM')
			pid = await held.gateway(number + 1)
			start = Math.max(start, performance.now() - from)
		}
		const loads = await Promise.all(going.map(({ stop }) => stop()))
		const sum = (of: (load: Loaded) => number) => loads.reduce((sum, load) => sum + of(load), 0)
		const served = sum((load) => load.count(200))
		const refused = sum(({ failures }) => failures.get('ECONNREFUSED') ?? 0)
		const cut = sum(({ sent }) => sent) - served - refused
		const slowest = Math.max(...loads.map((load) => load.took(1)))
		const ends = held.written().match(/^ended .+$/gm) ?? []
		return {
			reached: `${count} restarts: ${served} served, ${refused} refused, ${cut} broken, slowest ${slowest.toFixed(0)} ms, while the next process took at most ${start.toFixed(0)} ms to listen`,
			broken: [
				...none(refused, 'calls were refused'),
				...none(cut, `calls broke: ${loads.map(({ failures, statuses }) => [...failures, ...statuses])}`),
				...unless(
					ends.length === count && ends.every((each) => each === 'ended 0'),
					`the processes: ${ends.join(', ')}`,
				),
				...unless(served >= 64, 'there was no load'),
			],
			missed: over(slowest - start, 1000, (figure) => `slowest ${figure} ms more than a process takes to start`),
		}
	},
}

const head = 'POST /own HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\n'
const body = message('Hi')

/** What callers send, and then no more, nor end. */
const callersThatStay: readonly string[] = [
	'',
	'POST /own HT',
	head,
	`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
	`${head}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
	// Answered, and then idle.
	'GET /healthz HTTP/1.1\r\nhost: gateway.test\r\n\r\n',
	// Its turn is under way, for the upstream never answers.
	`${head}content-length: ${body.length}\r\n\r\n${body}`,
	// The next call is behind one under way.
	`${head}content-length: ${body.length}\r\n\r\n${body}${head}`,
]

export const stays: Row = {
	id: 'B4b',
	fault: 'SIGTERM while clients stay connected, have sent half a call, or wait for an upstream that never answers',
	demand: 'the process ends by itself within 10 s',
	waits: 'busily',
	async run(trial) {
		const silent = await trial.upstream((_, { gone }) => gone.then(() => undefined))
		const gateway = await trial.start(ownTo(silent.url))
		const sockets = callersThatStay.map((bytes) => {
			// Reads what comes, and never closes its own side.
			const socket = connectTo(gateway.url).resume()
			socket.write(bytes)
			trial.after(() => socket.destroy())
			return socket
		})
		await wait(500)
		const open = sockets.filter(({ readyState }) => readyState === 'open').length
		const from = performance.now()
		const code = await Promise.race([gateway.end(), wait(limit + clearly, 'not at all')])
		const seconds = (performance.now() - from) / 1000
		return {
			reached: `with ${open} clients that stay connected, it ended after ${seconds.toFixed(1)} s`,
			broken: [
				...unless(code === 0, `within ${seconds.toFixed(1)} s it ended with ${code}`),
				...unless(open === callersThatStay.length, `only ${open} callers stayed`),
			],
			missed: over(seconds, limit / 1000 + 0.5, (figure) => `ended after ${figure} s: the machine was busy`),
		}
	},
}
