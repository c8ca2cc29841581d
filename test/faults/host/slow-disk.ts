/** The disk is slow to sync: that delays the clients that wait for it, and no others. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { capacity, open } from '../../harness/load.ts'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { startAccepting, traces } from '../accepting.ts'
import { none, type Outcome, over, type Row, type Trial, together, unless, untried } from '../row.ts'

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
