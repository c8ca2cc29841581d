/** The disk fails while events are written: what could not be synced is not acknowledged, and the file is opened anew. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../../until.ts'
import { folder } from '../gateway.ts'
import { offer, startAccepting, startTaking, traces, untried } from '../notices.ts'
import type { Row, Trial } from '../row.ts'

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
		'0 events acknowledged whose write or fsync failed; the file is closed, opened anew and examined; all that was acknowledged is delivered',
	waits: 'idly',
	async run(trial) {
		if (!traces()) return untried('strace', 'strace is not there, or may not trace')
		const tried = await Promise.all(failures.map((failure) => fail(trial, failure)))
		return { reached: tried.map(({ reached }) => reached).join('; '), broken: tried.flatMap(({ broken }) => broken) }
	},
}

async function fail(trial: Trial, [call, error, when]: (typeof failures)[number]) {
	const home = folder(trial)
	const [trace, file] = [join(home, 'trace'), join(home, 'outbox.db')]
	const upstream = await startTaking(trial)
	const calls = call === 'fsync' ? 'fsync,fdatasync' : call
	const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}:when=${when}`]
	// Nothing is delivered meanwhile: what is delivered later is what had been stored.
	const failing = await startAccepting(
		trial,
		{ url: upstream.url, file, outbox: { schedule: ['1h'] } },
		{ before: ['strace', '-f', '--seccomp-bpf', ...inject, '-o', trace] },
	)
	const acknowledged: number[] = []
	const others: string[] = []
	let refused = 0
	const count = trial.at(60, 100, 500)
	for (let n = 0; n < count; n++) {
		const answer = await offer(failing, n)
		if (answer.status === 200) acknowledged.push(n)
		else if (answer.status === 503 && /"title":"outbox-(failed|full)"/.test(answer.body)) {
			refused++
			// The file is opened anew a second later.
			await wait(1100)
		} else others.push(`${answer.status} ${answer.body}`)
	}
	await failing.end('SIGKILL')
	const injected = readFileSync(trace, 'utf8').split('(INJECTED)').length - 1
	// The moments that are stored are an hour off; a shorter schedule brings them nearer.
	await startAccepting(trial, { url: upstream.url, file, outbox: { schedule: ['0s'] } })
	await until(() => upstream.missing(acknowledged).length === 0)

	const lost = upstream.missing(acknowledged).length
	const what = `${call} with ${error}`
	const broken: string[] = []
	if (lost > 0) broken.push(`${what}: ${lost} acknowledged events were lost`)
	if (others.length > 0) broken.push(`${what}: ${others.length} events were answered with ${others[0]}`)
	if (injected === 0) broken.push(`${what}: nothing failed`)
	if (refused === 0) broken.push(`${what}: no event was refused, and ${injected} calls had failed`)
	if (acknowledged.length < count / 2) broken.push(`${what}: only ${acknowledged.length} of ${count} were acknowledged`)
	return { reached: `${what}: ${injected} failed, ${refused} of ${count} events refused, ${lost} lost`, broken }
}
