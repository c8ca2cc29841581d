/** Callers who send or read so slowly that a connection each is lost on them: headers, bodies, answers. */
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../../until.ts'
import { message } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, heldBy, over, watchMemory } from '../health.ts'
import { type Loaded, open } from '../load.ts'
import type { Outcome, Row, Trial } from '../row.ts'
import { dial, type Line } from '../sockets.ts'

/** Lines of the log that an attack of any size may cause. */
const mostLines = 10
/** Milliseconds for 99 of 100 of the others. */
const mostForOthers = 100
/** Connections that are opened at once. */
const handful = 25
/** Megabytes. */
const mostKept = 32
/** Bytes of an answer that nobody reads, and how many of them a caller asks for. */
const unread = { bytes: 100_000, times: 10 }

interface Attack {
	readonly connections: number
	/** Milliseconds by which every connection is to be closed. */
	readonly until: number
	/** Milliseconds for which it is watched whether they are. */
	readonly watched: number
	/** Opens the attack of a connection. */
	begin(line: Line): void
	/** Keeps it busy, each half second, until it is closed. */
	more?(line: Line, times: number): void
	/** Milliseconds between two handfuls of connections. Absent: as fast as they come. */
	readonly pause?: number
	/** What any load leaves behind is to be there before. */
	before?(url: string): Promise<unknown>
}

const head = (length: number) =>
	`POST /own HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`

/** Short calls and short answers, for so many seconds, so many a second. */
function calls(url: string, rate: number, seconds: number): Promise<Loaded> {
	return open({ url, rate, seconds, call: () => ({ path: '/own', body: message('Hi') }) })
}

async function attacked(trial: Trial, attack: Attack): Promise<Outcome & { readonly grown: number }> {
	const upstream = await startEcho(trial, ({ body }) => says(body.includes('much') ? 'x'.repeat(unread.bytes) : 'Hi'))
	const gateway = await startGateway(trial, {
		upstream: { url: upstream.url },
		routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
	})
	const { url } = gateway
	await calls(url, 100, 0.5)
	await attack.before?.(url)
	const grown = watchMemory(gateway)
	const from = performance.now()
	const lines: Line[] = []
	let most = 0
	const dialled = (async () => {
		while (lines.length < attack.connections) {
			for (let n = 0; n < handful && lines.length < attack.connections; n++) {
				const line = dial(trial, url)
				attack.begin(line)
				lines.push(line)
			}
			await wait(attack.pause ?? 10)
		}
	})()
	let stopped = false
	const kept = (async () => {
		for (let times = 1; !stopped; times++) {
			await wait(500)
			most = Math.max(most, heldBy(gateway))
			for (const line of lines) if (line.closedAfter() === undefined) attack.more?.(line, times)
		}
	})()
	const others = await calls(url, 20, 6)
	await dialled
	while (heldBy(gateway) > 0 && performance.now() - from < attack.watched) await wait(50)
	const last = performance.now() - from
	stopped = true
	await kept

	const left = heldBy(gateway)
	const answered = others.statuses.get(200) ?? 0
	const shed = others.statuses.get(503) ?? 0
	const lost = others.sent - answered - shed
	most = Math.min(most, attack.connections)
	const told = gateway.lines.filter(({ msg }) => msg !== 'turn').length
	const stacks = (gateway.written().match(/^\s+at /gm) ?? []).length + gateway.lines.filter(({ cause }) => cause).length
	const broken = faultsOf(gateway)
	if (most < attack.connections / 4) broken.push(`only ${most} connections were held: nothing was tried`)
	if (left > 0 && attack.watched > attack.until) broken.push(`${left} connections were not closed`)
	if (lost > 0) broken.push(`${lost} of ${others.sent} other calls were not answered`)
	if (told > mostLines) broken.push(`${told} lines of log`)
	if (stacks > 0) broken.push(`${stacks} lines of stacks`)
	return {
		grown: grown(),
		reached: `${most - left} of ${most} closed, the last after ${(last / 1000).toFixed(1)} s; others: p99 ${others.took(0.99).toFixed(0)} ms, ${shed} of ${others.sent} told to come later, ${lost} lost; ${told} lines of log`,
		broken,
		missed: [
			...over(others.took(0.99), mostForOthers, (p99) => `p99 of the others ${p99} ms, on cores shared with them`),
			...over(attack.connections, most, () => `${most} of ${attack.connections} were held at once`),
			...over(shed, 0, () => `${shed} of the others were told to come later: all calls of an upstream were taken`),
			...(left === 0 ? over(last, attack.until, (it) => `the last was closed after ${it} ms`) : []),
		],
	}
}

export const slowHeaders: Row = {
	id: 'D2',
	fault: 'A thousand callers send their headers a line at a time, and never end',
	demand: 'all closed ≤ 10 s; others p99 ≤ 100 ms; ≤ 10 lines of log',
	waits: 'busily',
	run: (trial) =>
		attacked(trial, {
			...{ connections: trial.at(200, 1000, 1800), until: 10_000, watched: 20_000 },
			begin: ({ socket }) => socket.write('POST /own HTTP/1.1\r\nhost: gateway.test\r\n'),
			more: ({ socket }, times) => socket.write(`x-${times}: ${times}\r\n`),
		}),
}

export const slowBodies: Row = {
	id: 'D3',
	fault: 'A thousand callers send their bodies a byte at a time',
	demand: 'all closed ≤ 15 s; others p99 ≤ 100 ms; no stack in the log',
	waits: 'busily',
	run: (trial) =>
		attacked(trial, {
			...{ connections: trial.at(200, 1000, 1800), until: 15_000, watched: 25_000 },
			begin: ({ socket }) => socket.write(`${head(10_000)}\r\n{"version":1,`),
			more: ({ socket }) => socket.write(' '),
		}),
}

export const slowReaders: Row = {
	id: 'D4',
	fault: `Callers ask ${unread.times} times over, and read none of the answers of 100 kB`,
	demand: `≤ ${mostKept} MB kept for them in the process; closed ≤ 30 s; others p99 ≤ 100 ms`,
	waits: 'busily',
	async run(trial) {
		const body = message('much')
		const asked = `${head(body.length)}\r\n${body}`.repeat(unread.times)
		const connections = trial.at(50, 200, 500)
		const { grown, ...outcome } = await attacked(trial, {
			...{ connections, until: 30_000, watched: trial.at(12_000, 45_000, 45_000), pause: 250 },
			async before(url) {
				for (let times = 0; times < 3; times++) {
					const lines = Array.from({ length: handful }, () => dial(trial, url))
					for (const { socket } of lines) socket.write(asked)
					const bytes = unread.bytes * unread.times
					await until(() => lines.every(({ socket }) => socket.bytesRead > bytes), 10_000)
					for (const { socket } of lines) socket.resetAndDestroy()
				}
			},
			begin({ socket }) {
				socket.pause()
				socket.write(asked)
			},
		})
		return {
			...outcome,
			reached: `${outcome.reached}; grown by ${grown.toFixed(0)} MB`,
			missed: [
				...(outcome.missed ?? []),
				...over(grown, mostKept, (it) => `the process grew by ${it} MB, what is yet to be collected included`),
			],
		}
	},
}
