/** Callers who cost connections: by opening thousands, and by sending or reading slowly. */

import { setTimeout as wait } from 'node:timers/promises'
import { type ClientOptions, json, message, says, send } from '../../harness/http.ts'
import { open } from '../../harness/load.ts'
import { ownTo } from '../../harness/platforms.ts'
import { dial, type Line } from '../../harness/sockets.ts'
import { until } from '../../until.ts'
import { faultsOf, heldBy, keptBy, tellsKept } from '../health.ts'
import { none, type Outcome, over, type Row, type Trial, unless } from '../row.ts'

/** Connections that the gateway takes: docs/deploy-node.md. */
const most = 2000
/** Milliseconds. */
const limits = { others: 100, back: 2000 }
/** Those that are being turned away: they are there for a moment. */
const passing = 250
/** Milliseconds for which they all stay. */
const stay = 3000

export const connectionFlood: Row = {
	id: 'D1',
	fault: 'Five thousand clients connect and send nothing, or half of a line',
	demand: `≤ ${most} connections held, the others rejected; p99 of clients that were already connected ≤ ${limits.others} ms; back to normal ≤ ${limits.back / 1000} s after`,
	async run(trial) {
		const count = trial.at(2500, 5000, 5000)
		const upstream = await trial.upstream()
		const gateway = await trial.start(ownTo(upstream.url))
		const { url } = gateway
		const call = { path: '/own', body: message('Hi') }
		const calling = (seconds: number, more: ClientOptions = {}) =>
			open(url, { rate: 50, seconds, call: () => call, ...more })
		// One connection, which was there before.
		const others = calling(1 + (count / 5000) * 2 + stay / 1000, { connections: 1 })
		await wait(1000)

		let held = 0
		const watch = setInterval(() => {
			held = Math.max(held, heldBy(gateway))
		}, 200)
		trial.after(() => clearInterval(watch))
		const lines: Line[] = []
		while (lines.length < count) {
			for (let n = 0; n < 50; n++) {
				const line = dial(trial, url)
				if (n % 2 === 0) line.socket.write('POST /own HT')
				lines.push(line)
			}
			await wait(10)
		}
		await wait(stay)
		const refused = lines.filter((line) => line.closedAfter() !== undefined).length
		clearInterval(watch)
		const answered = await others

		for (const { socket } of lines) socket.resetAndDestroy()
		const gone = performance.now()
		let tried = 0
		let back: number | undefined
		while (back === undefined && performance.now() - gone < 15_000) {
			tried++
			const got = await send(url, call).catch(() => undefined)
			if (got?.status === 200) back = performance.now() - gone
			else await wait(20)
		}
		const after = await calling(1)
		const left = await until(() => heldBy(gateway) <= 64, 10_000)

		const lost = answered.sent - answered.count(200)
		const p99 = answered.took(0.99)
		return {
			reached: `${held} of ${count} held, ${refused} rejected; others: p99 ${p99.toFixed(0)} ms, ${lost} of ${answered.sent} lost; the next accepted after ${back?.toFixed(0)} ms, at try ${tried}; p99 then ${after.took(0.99).toFixed(0)} ms`,
			broken: [
				...faultsOf(gateway),
				...unless(held >= most / 4, `only ${held} connections were held: nothing was tried`),
				...unless(held <= most + passing, `${held} connections were held`),
				...unless(refused >= count - most, `${refused} of ${count} were turned away`),
				...none(lost, `of ${answered.sent} calls on a connection that was there were not answered`),
				...unless(back !== undefined, 'no caller was taken any more'),
				...none(after.sent - after.count(200), 'calls afterwards were not answered'),
				...unless(left, `${heldBy(gateway)} connections are left`),
			],
			missed: [
				...over(most, held, () => `${held} were held at the same time: the machine was too busy for more`),
				...over(p99, limits.others, (it) => `p99 of the others ${it} ms, on cores shared with ${count} clients`),
				...over(back ?? 0, limits.back, (it) => `back after ${it} ms`),
			],
		}
	},
}

/** Lines of the log that an attack of any size may cause. */
const mostLines = 10
/** Milliseconds for 99 of 100 of the others. */
const mostForOthers = 100
/** Connections that are opened at once. */
const handful = 25
/** Megabytes. */
const mostKept = 32
/** Bytes of an answer that is never read, and how many of them a caller asks for. */
const unread = { bytes: 100_000, times: 10 }

interface Attack extends Pick<Row, 'id' | 'fault' | 'demand'> {
	connections(trial: Trial): number
	/** Milliseconds by which every connection is to be closed. */
	readonly until: number
	/** Milliseconds for which it is watched whether they are. */
	watched(trial: Trial): number
	/** Opens the attack of a connection. */
	begin(line: Line): void
	/** Keeps it busy, each half second, until it is closed. */
	more?(line: Line, times: number): void
	/** Milliseconds between two handfuls of connections. */
	readonly pause: number
	/** What any load leaves behind is to be there before. */
	before?(trial: Trial, url: string): Promise<unknown>
	/** Megabytes that may be kept for the connections; any by default. */
	readonly memory?: number
}

const head = (length: number) =>
	`POST /own HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n`
const much = message('much')
const asked = `${head(much.length)}\r\n${much}`.repeat(unread.times)

const attacks: readonly Attack[] = [
	{
		id: 'D2',
		fault: 'A thousand clients send their headers line by line and never end',
		demand: 'all closed ≤ 10 s; others p99 ≤ 100 ms; ≤ 10 log lines',
		...{ connections: ({ at }) => at(200, 1000, 1800), until: 10_000, watched: () => 20_000, pause: 10 },
		begin: ({ socket }) => socket.write('POST /own HTTP/1.1\r\nhost: gateway.test\r\n'),
		more: ({ socket }, times) => socket.write(`x-${times}: ${times}\r\n`),
	},
	{
		id: 'D3',
		fault: 'A thousand clients send their bodies byte by byte',
		demand: 'all closed ≤ 15 s; others p99 ≤ 100 ms; no stack in the log',
		...{ connections: ({ at }) => at(200, 1000, 1800), until: 15_000, watched: () => 25_000, pause: 10 },
		begin: ({ socket }) => socket.write(`${head(10_000)}\r\n{"version":1,`),
		more: ({ socket }) => socket.write(' '),
	},
	{
		id: 'D4',
		fault: `Clients send ${unread.times} calls each and never read the answers of 100 kB`,
		demand: `≤ ${mostKept} MB buffered for them in the process; closed ≤ 30 s; others p99 ≤ 100 ms`,
		...{ connections: ({ at }) => at(50, 200, 500), until: 30_000, pause: 250, memory: mostKept },
		watched: ({ at }) => at(12_000, 45_000, 45_000),
		async before(trial, url) {
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
	},
]

export const slowCallers: readonly Row[] = attacks.map(({ id, fault, demand, ...attack }) => ({
	...{ id, fault, demand, waits: 'busily' },
	run: (trial) => attacked(trial, attack),
}))

async function attacked(trial: Trial, attack: Omit<Attack, keyof Row>): Promise<Outcome> {
	const { begin, more, pause, before, until: latest, memory = Number.POSITIVE_INFINITY } = attack
	const [connections, watched] = [attack.connections(trial), attack.watched(trial)]
	const upstream = await trial.upstream(({ body }) =>
		json(says(body.includes('much') ? 'x'.repeat(unread.bytes) : 'Hi')),
	)
	const gateway = await trial.start(ownTo(upstream.url), tellsKept)
	const { url } = gateway
	const calls = (rate: number, seconds: number) =>
		open(url, { rate, seconds, call: () => ({ path: '/own', body: message('Hi') }) })
	await calls(100, 0.5)
	await before?.(trial, url)
	const keptBefore = await keptBy(gateway)
	const from = performance.now()
	const lines: Line[] = []
	let most = 0
	let kept = 0
	const dialled = (async () => {
		while (lines.length < connections) {
			for (let n = 0; n < handful && lines.length < connections; n++) {
				const line = dial(trial, url)
				begin(line)
				lines.push(line)
			}
			await wait(pause)
		}
	})()
	let stopped = false
	const busy = (async () => {
		for (let times = 1; !stopped; times++) {
			await wait(500)
			most = Math.max(most, Math.min(heldBy(gateway), connections))
			for (const line of lines) if (line.closedAfter() === undefined) more?.(line, times)
			kept = Math.max(kept, (await keptBy(gateway)) - keptBefore)
		}
	})()
	const others = await calls(20, 6)
	await dialled
	while (heldBy(gateway) > 0 && performance.now() - from < watched) await wait(50)
	const last = performance.now() - from
	stopped = true
	await busy

	const left = heldBy(gateway)
	const shed = others.count(503)
	const lost = others.sent - others.count(200) - shed
	const told = gateway.lines.filter(({ msg }) => msg !== 'turn').length
	const stacks = (gateway.written().match(/^\s+at /gm) ?? []).length + gateway.lines.filter(({ cause }) => cause).length
	return {
		reached: `${most - left} of ${most} closed, the last after ${(last / 1000).toFixed(1)} s; others: p99 ${others.took(0.99).toFixed(0)} ms, ${shed} of ${others.sent} answered with 503, ${lost} lost; ${told} log lines; at most ${kept.toFixed(0)} MB kept for them`,
		broken: [
			...faultsOf(gateway),
			...unless(most >= connections / 4, `only ${most} connections were held: nothing was tried`),
			...unless(left === 0 || watched <= latest, `${left} connections were not closed`),
			...none(lost, `of ${others.sent} other calls were not answered`),
			...unless(told <= mostLines, `${told} lines of log`),
			...none(stacks, 'lines of stacks'),
		],
		missed: [
			...over(others.took(0.99), mostForOthers, (p99) => `p99 of the others ${p99} ms, on cores shared with them`),
			...over(connections, most, () => `${most} of ${connections} were held at the same time`),
			...over(shed, 0, () => `${shed} of the others got a 503: the concurrency limit of the upstream was reached`),
			...(left === 0 ? over(last, latest, (it) => `the last was closed after ${it} ms`) : []),
			...over(kept, memory, (it) => `${it} MB were kept for them`),
		],
	}
}
