/** The disk fails while events are written: what could not be synced is not acknowledged, and the file is opened anew. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { delivered, startAccepting, startTaking, traces } from '../accepting.ts'
import { none, type Outcome, type Row, type Trial, together, unless, untried } from '../row.ts'
import { each, turnsWith, unexpected } from '../turns.ts'

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
	const { lost } = await delivered(accepted, () => upstream.taken)

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
