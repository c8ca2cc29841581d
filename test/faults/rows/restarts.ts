/** The process is told to end while callers call, and while some of them never come to an end. */
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { load } from '../../node/callers.ts'
import { config, hold } from '../../node/held.ts'
import { message } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { environment, startGateway } from '../gateway.ts'
import { over } from '../health.ts'
import type { Row } from '../row.ts'

/** Milliseconds within which a process has ended, however its callers behave. */
const limit = 10_000
/** Milliseconds beyond it that no busy machine explains. */
const clearly = 5000

export const restarts: Row = {
	id: 'B4',
	fault: 'SIGTERM, again and again, under load on a socket that is held',
	demand: '10 restarts at 64 callers: 0 refused, 0 broken, slowest ≤ 1 s beyond the start of a process',
	async run(trial) {
		const held = hold((end) => trial.after(end), '127.0.0.1', environment)
		let pid = await held.gateway(1)
		const going = [true, false].map((kept) => load(held.port(), { callers: 32, kept }))
		let start = 0
		const count = trial.at(3, 10, 30)
		for (let number = 1; number <= count; number++) {
			await wait(300)
			const from = performance.now()
			process.kill(pid, 'SIGTERM')
			pid = await held.gateway(number + 1)
			start = Math.max(start, performance.now() - from)
		}
		const stopped = await Promise.all(going.map(({ stop }) => stop()))
		const served = stopped.reduce((sum, each) => sum + each.served, 0)
		const refused = stopped.reduce((sum, each) => sum + each.refused, 0)
		const cut = stopped.flatMap((each) => each.broken)
		const slowest = Math.max(...stopped.map((each) => each.slowest))
		const ends = held.told().match(/^ended .+$/gm) ?? []
		const broken: string[] = []
		if (refused > 0) broken.push(`${refused} calls were refused`)
		if (cut.length > 0) broken.push(`${cut.length} calls broke, the first with ${cut[0]?.was}`)
		if (ends.length !== count || ends.some((each) => each !== 'ended 0'))
			broken.push(`the processes: ${ends.join(', ')}`)
		if (served < 64) broken.push('there was no load')
		return {
			reached: `${count} restarts: ${served} served, ${refused} refused, ${cut.length} broken, slowest ${slowest} ms, where the next process listened after ${start.toFixed(0)} ms at most`,
			broken,
			missed: over(slowest - start, 1000, (figure) => `slowest ${figure} ms beyond the start of a process`),
		}
	},
}

export const stays: Row = {
	id: 'B4b',
	fault: 'SIGTERM while callers stay connected, say half of a call, or wait for an upstream that never answers',
	demand: 'the process has ended by itself ≤ 10 s later',
	waits: 'busily',
	async run(trial) {
		const silent = await startEcho(trial, () => new Promise(() => {}))
		const gateway = await startGateway(trial, {
			...config,
			routes: [{ name: 'in', path: '/in', platform: 'canonical', upstream: { url: silent.url } }],
		})
		const { hostname: host, port } = new URL(gateway.url)
		const sockets = callersThatStay.map((bytes) => {
			const socket = connect({ host, port: Number(port), allowHalfOpen: true }).on('error', () => {})
			socket.write(bytes)
			// Reads what comes, and never closes its own side.
			socket.resume()
			trial.after(() => socket.destroy())
			return socket
		})
		await wait(500)
		const open = sockets.filter(({ readyState }) => readyState === 'open').length
		const from = performance.now()
		const code = await Promise.race([gateway.end(), wait(limit + clearly, 'not at all')])
		const seconds = (performance.now() - from) / 1000
		const broken: string[] = []
		if (code !== 0) broken.push(`within ${seconds.toFixed(1)} s it ended with ${code}`)
		if (open < callersThatStay.length) broken.push(`only ${open} callers stayed`)
		return {
			reached: `with ${open} callers that stay it ended after ${seconds.toFixed(1)} s`,
			broken,
			missed: over(seconds, limit / 1000 + 0.5, (figure) => `ended after ${figure} s: the machine was busy`),
		}
	},
}

const head = 'POST /in HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\n'
const body = message('Hi')

/** What each of them sends, and then no more, nor ends. */
const callersThatStay: readonly string[] = [
	'',
	'POST /in HT',
	head,
	`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
	`${head}transfer-encoding: chunked\r\n\r\n1\r\n{\r\n`,
	// Answered, and then idle.
	'GET /healthz HTTP/1.1\r\nhost: gateway.test\r\n\r\n',
	// Its turn is in hand, for the upstream never answers.
	`${head}content-length: ${body.length}\r\n\r\n${body}`,
	// The next call is behind one in hand.
	`${head}content-length: ${body.length}\r\n\r\n${body}${head}`,
]
