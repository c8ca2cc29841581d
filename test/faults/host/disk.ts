/** The disk of the outbox is full, fails, or is slow. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { capacity, open } from '../../harness/load.ts'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { empty, fill, smallDisk } from '../../harness/small-disk.ts'
import { atOnceThenEach, delivered, startAccepting, startTaking, traces } from '../accepting.ts'
import { faultsOf } from '../health.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless, untried } from '../row.ts'
import { each, type Turn, turnsWith, unexpected } from '../turns.ts'

/** MiB of the disk; of these, the gateway leaves 16 free. */
const size = 24
/** Characters of an event. */
const length = 200_000

export const diskFull: Row = {
	id: 'B5',
	fault: 'The disk is full, with events or with other data; the process is killed on a full disk, twice',
	demand:
		'events are rejected with a typed 503, the process stays up, 0 acknowledged events lost; it accepts again by itself once events are delivered or space is freed; killed on a full disk, it starts, rejects with a typed 503, and delivers everything once the backend is back',
	waits: 'idly',
	async run(trial) {
		const disk = smallDisk(trial, size)
		if (disk === undefined) return untried('root', 'a small disk can be mounted by root only')
		let status = 503
		const upstream = await startTaking(trial, () => status)
		const outbox = { file: join(disk, 'outbox.db'), schedule: atOnceThenEach('1s') }
		let gateway = await startAccepting(trial, upstream.url, { outbox })
		const faults: string[] = []
		const turns: Turn[] = []
		const offer = async (count: number): Promise<void> => {
			const text = () => `${trial.nonce()} ${'x'.repeat(length)}`
			const take = turnsWith(trial, gateway)
			turns.push(...(await each(count, 1, () => take(notifying, undefined, { text: text() }))))
		}
		const accepted = () => turns.filter(({ heard }) => heard === 'accepted').map(({ text }) => text)
		const refused = () => turns.filter(({ heard }) => heard === 'outbox-full').length
		/** Whether one is accepted within some seconds. */
		const isAccepted = async (): Promise<boolean> => {
			const before = accepted().length
			for (let tries = 0; tries < 50 && accepted().length === before; tries++) {
				await offer(1)
				await wait(100)
			}
			return accepted().length > before
		}
		const drained = async (): Promise<boolean> => {
			status = 200
			const { lost } = await delivered(accepted(), (without) => upstream.taken.slice(without))
			status = 503
			return lost === 0
		}
		const kill = async (): Promise<void> => {
			faults.push(...faultsOf(gateway))
			await gateway.end('SIGKILL')
		}
		const broken: string[] = []
		const claim = (holds: boolean, sentence: string) => void broken.push(...unless(holds, sentence))

		await offer(trial.at(80, 200, 1000))
		claim(refused() > 0, 'its own events did not fill the disk')
		claim(await drained(), 'what was accepted before the disk was full is not delivered')
		claim(await isAccepted(), 'when it had drained, it accepted no more')

		await offer(20)
		fill(disk)
		const before = refused()
		await offer(20)
		claim(refused() === before + 20, `${20 - refused() + before} events were accepted on a full disk`)
		empty(disk)
		claim(await isAccepted(), 'when others had made room, it accepted no more')
		claim(await drained(), 'when others had made room, what was accepted before is not delivered')

		await offer(20)
		fill(disk)
		for (const kills of [1, 2]) {
			await kill()
			gateway = await startAccepting(trial, upstream.url, { outbox })
			const before = refused()
			await offer(10)
			claim(refused() === before + 10, `events were accepted on a full disk after ${kills} kills`)
		}
		claim(await drained(), 'killed on a full disk, it did not deliver everything')
		await kill()
		gateway = await startAccepting(trial, upstream.url, { outbox })
		empty(disk)
		claim(await isAccepted(), 'killed on a full disk, it accepted no more when others had made room')
		claim(await drained(), 'killed on a full disk, it did not deliver what it accepted afterwards')

		const copies = upstream.taken.length - new Set(upstream.taken).size
		return {
			reached: `${accepted().length} accepted, ${refused()} rejected, ${copies} delivered twice; accepts again after delivering, and after space was freed; 3 kills on a full disk`,
			broken: [...broken, ...unexpected(turns, ['accepted', 'outbox-full']), ...faults, ...faultsOf(gateway)],
		}
	},
}

/** System calls that fail, with which error; each from the n-th on, every so many. */
const failures = [
	['fsync', 'EIO', '40+13'],
	['fsync', 'ENOSPC', '41+11'],
	['pwrite64', 'EIO', '200+61'],
	['pwrite64', 'ENOSPC', '203+59'],
] as const

export const diskFails: Row = {
	id: 'B6',
	fault: 'A write or an fsync fails (EIO, ENOSPC)',
	demand:
		'0 events acknowledged whose write or fsync failed; the file is closed, reopened and checked; everything acknowledged is delivered',
	waits: 'idly',
	async run(trial) {
		if (!traces()) return untried('strace', 'strace is not there, or may not trace')
		return together(await Promise.all(failures.map((failure) => fail(trial, failure))))
	},
}

async function fail(trial: Trial, [call, error, when]: (typeof failures)[number]): Promise<Outcome> {
	const home = folder(trial)
	const [trace, file] = [join(home, 'trace'), join(home, 'outbox.db')]
	const upstream = await startTaking(trial)
	const calls = call === 'fsync' ? 'fsync,fdatasync' : call
	const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${when}`]
	// Nothing is delivered meanwhile: what is delivered later is what had been stored.
	const failing = await startAccepting(
		trial,
		upstream.url,
		{ outbox: { file, schedule: ['1h'] } },
		{ before: ['strace', '-f', '--seccomp-bpf', ...inject, '-o', trace] },
	)
	const take = turnsWith(trial, failing)
	const count = trial.at(60, 100, 500)
	const turns = await each(count, 1, async () => {
		const turn = await take(notifying)
		// The file is opened anew a second later.
		if (turn.heard !== 'accepted') await wait(1100)
		return turn
	})
	await failing.end('SIGKILL')
	const injected = readFileSync(trace, 'utf8').split('(INJECTED)').length - 1
	// The moments that are stored are an hour off; a shorter schedule brings them nearer.
	await startAccepting(trial, upstream.url, { outbox: { file, schedule: ['0s'] } })
	const accepted = turns.filter(({ heard }) => heard === 'accepted').map(({ text }) => text)
	const { lost } = await delivered(accepted, (without) => upstream.taken.slice(without))

	const what = `${call} with ${error}`
	const refused = count - accepted.length
	return {
		reached: `${what}: ${injected} failed, ${refused} of ${count} events rejected, ${lost} lost`,
		broken: [
			...none(lost, 'acknowledged events were lost'),
			...unexpected(turns, ['accepted', 'outbox-failed', 'outbox-full']),
			...unless(injected > 0, 'nothing failed'),
			...unless(refused > 0, `no event was refused, and ${injected} calls had failed`),
			...unless(refused <= count / 2, `only ${accepted.length} of ${count} were acknowledged`),
		].map((sentence) => `${what}: ${sentence}`),
	}
}

/** Callers who wait at once. */
const waiting = 256
/** Events a second at which the event loop is looked at: what 256 answers at once cost is not the disk's. */
const steadily = 300

/** Tells twice a second on standard error for how long the event loop kept others waiting. */
const preload = `
	import { monitorEventLoopDelay } from 'node:perf_hooks'
	const delay = monitorEventLoopDelay({ resolution: 1 })
	delay.enable()
	setInterval(() => {
		console.error('loop p99 ' + (delay.percentile(99) / 1e6).toFixed(1) + ' ms')
		delay.reset()
	}, 500).unref()`

export const slowDisk: Row = {
	id: 'B7',
	fault: 'An fsync takes 2, 10 or 100 ms longer',
	demand:
		'with 256 waiting: acknowledged within 3 × fsync + 20 ms (p99), event loop p99 ≤ 10 ms; every event acknowledged',
	async run(trial) {
		if (!traces()) return untried('strace', 'strace is not there, or may not trace')
		const tried: Outcome[] = []
		for (const ms of { short: [10], normal: [10, 100], full: [0, 2, 10, 100] }[trial.scale])
			tried.push(await slowBy(trial, ms))
		const missed = unless(trial.scale === 'full', 'not all delays, for lack of time; --full runs all')
		return together([...tried, { reached: `${tried.length} of 4 delays`, broken: [], missed }])
	},
}

async function slowBy(trial: Trial, ms: number): Promise<Outcome> {
	const trace = join(folder(trial), 'trace')
	const inject = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:delay_exit=${ms * 1000}`]
	const gateway = await startAccepting(
		trial,
		'http://127.0.0.1:9/',
		// Nothing is delivered meanwhile.
		{ outbox: { schedule: ['1h'] } },
		{ before: ['strace', '-f', '--seccomp-bpf', ...inject, '-o', trace], preload },
	)
	const call = () => notifying.call(notifying.event(trial.nonce()))
	// What a process does first, it does slowly.
	await capacity(gateway.url, { callers: waiting, seconds: 1, call })
	const before = gateway.written().length
	const steady = await open(gateway.url, { rate: steadily, seconds: trial.at(2, 2, 20), call })
	const written = gateway.written().slice(before)
	const crowd = await capacity(gateway.url, { callers: waiting, seconds: trial.at(1, 2, 20), call })
	await gateway.end('SIGKILL')

	const delay = Math.max(...Array.from(written.matchAll(/^loop p99 ([\d.]+) ms$/gm), ([, each]) => Number(each)))
	const p99 = crowd.took(0.99, 200)
	const limit = 3 * ms + 20
	const lost = steady.sent + crowd.sent - steady.count(200) - crowd.count(200)
	return {
		reached: `${ms} ms: p99 ${p99.toFixed(0)} ms at ${crowd.rate(200).toFixed(0)}/s, event loop p99 ${delay.toFixed(1)} ms at ${steadily}/s`,
		broken: [
			...none(lost, `events were not acknowledged at ${ms} ms`),
			...unless(ms === 0 || readFileSync(trace, 'utf8').includes('(DELAYED)'), `${ms} ms: no fsync was slow`),
			...unless(Number.isFinite(delay), `${ms} ms: the event loop was not measured`),
		],
		missed: [
			...over(
				p99,
				limit,
				(figure) => `${ms} ms: p99 ${figure} ms instead of ${limit}, with the clients on the same cores`,
			),
			...over(delay, 10, (figure) => `${ms} ms: event loop p99 ${figure} ms, with the clients on the same cores`),
		],
	}
}
