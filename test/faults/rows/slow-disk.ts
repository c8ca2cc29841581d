/** The disk is slow to sync: that holds up who waits for it, and nobody else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folder } from '../gateway.ts'
import { over } from '../health.ts'
import { capacity, open } from '../load.ts'
import { notice, startAccepting, traces, untried } from '../notices.ts'
import type { Row, Trial } from '../row.ts'

const preload = fileURLToPath(new URL('../loop-delay.ts', import.meta.url))

/** Callers who wait at once. */
const waiting = 256
/** Events a second at which the event loop is looked at: what 256 answers at once cost is not the disk's. */
const steadily = 300

export const slowDisk: Row = {
	id: 'B7',
	fault: 'An fsync takes 2, 10 or 100 ms longer',
	demand:
		'at 256 waiting: acknowledged within 3 × fsync + 20 ms (p99), event loop p99 ≤ 10 ms; every event acknowledged',
	async run(trial) {
		if (!traces()) return untried('strace', 'strace is not there, or may not trace')
		const tried = []
		for (const ms of trial.scale === 'short' ? [10] : trial.scale === 'usual' ? [10, 100] : [0, 2, 10, 100])
			tried.push(await slowBy(trial, ms))
		return {
			reached: tried.map(({ reached }) => reached).join('; '),
			broken: tried.flatMap(({ broken }) => broken),
			missed: [
				...tried.flatMap(({ missed }) => missed),
				...(trial.scale === 'full' ? [] : ['not all delays, for want of time; all of them with --full']),
			],
		}
	},
}

async function slowBy(trial: Trial, ms: number) {
	const trace = join(folder(trial), 'trace')
	const inject = ['-e', 'trace=fsync,fdatasync', '-e', `inject=fsync,fdatasync:delay_exit=${ms * 1000}`]
	const gateway = await startAccepting(
		trial,
		// Nothing is delivered meanwhile.
		{ url: 'http://127.0.0.1:9/', outbox: { schedule: ['1h'] } },
		{ before: ['strace', '-f', '--seccomp-bpf', ...inject, '-o', trace], node: ['--import', preload] },
	)
	const load = { url: gateway.url, call: (n: number) => notice(n) }
	// What a process does first, it does slowly.
	await capacity({ ...load, connections: waiting, seconds: 1 })
	const told = gateway.written().length
	const steady = await open({ ...load, rate: steadily, seconds: trial.at(2, 2, 20) })
	const said = gateway.written().slice(told)
	const crowd = await capacity({ ...load, connections: waiting, seconds: trial.at(1, 2, 20) })
	await gateway.end('SIGKILL')

	const delay = Math.max(...Array.from(said.matchAll(/^loop p99 ([\d.]+) ms$/gm), ([, each]) => Number(each)))
	const p99 = crowd.took(0.99, 200)
	const limit = 3 * ms + 20
	const sent = steady.sent + crowd.sent
	const acknowledged = (steady.statuses.get(200) ?? 0) + (crowd.statuses.get(200) ?? 0)
	const broken: string[] = []
	if (acknowledged < sent) broken.push(`${ms} ms: ${sent - acknowledged} of ${sent} events were not acknowledged`)
	if (ms > 0 && !readFileSync(trace, 'utf8').includes('(DELAYED)')) broken.push(`${ms} ms: no fsync was slow`)
	if (!Number.isFinite(delay)) broken.push(`${ms} ms: the event loop was not measured`)
	return {
		reached: `${ms} ms: p99 ${p99.toFixed(0)} ms at ${crowd.rate(200).toFixed(0)}/s, event loop p99 ${delay.toFixed(1)} ms at ${steadily}/s`,
		broken,
		missed: [
			...over(p99, limit, (figure) => `${ms} ms: p99 ${figure} ms of ${limit}, with the callers on the same cores`),
			...over(delay, 10, (figure) => `${ms} ms: event loop p99 ${figure} ms, with the callers on the same cores`),
		],
	}
}
