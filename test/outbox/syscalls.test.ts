/** What the system was asked for, in which order: no answer leaves before its event was written and synced. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { folder } from './parts.ts'
import { configOf, receiver, send, signingKey, start } from './processes.ts'

const full = Boolean(process.env.FULL)
const traces = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
if (!traces && full) console.log('strace is not there or may not trace: apt-get install strace. Skipped.')
const traced = test.skipIf(!traces)

/** Whether each answer in a trace came after a write to the log and its fsync; how many answers, how many did not. */
function judge(trace: string): { answers: number; early: number } {
	let [written, synced, answers, early] = [false, false, 0, 0]
	/** What each thread was interrupted in. */
	const open = new Map<string, string>()
	for (const line of trace.split('\n')) {
		const [, thread = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
		if (call.startsWith('pwrite64(') && call.includes('-wal>')) [written, synced] = [true, false]
		if (call.endsWith('<unfinished ...>')) open.set(thread, call)
		const whole = call.startsWith('<...') ? `${open.get(thread)}${call}` : call
		if (/^f(data)?sync\(\d+<[^>]*-wal>/.test(whole) && whole.endsWith('= 0')) synced = written
		if (/^(write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 200/.test(call)) {
			answers++
			if (!written || !synced) early++
			written = false
			synced = false
		}
	}
	return { answers, early }
}

test('the judge of a trace knows a fault when it sees one', () => {
	const write = '7 pwrite64(30</tmp/o.db-wal>, "x", 1, 0) = 1'
	const answer = '6 write(20<socket:[1]>, "HTTP/1.1 200 OK\\r\\n", 20) = 20'
	const sync = '7 fsync(30</tmp/o.db-wal>) = 0'
	const halves = ['7 fsync(30</tmp/o.db-wal> <unfinished ...>', '7 <... fsync resumed>) = 0']
	expect(judge([write, sync, answer, write, ...halves, answer].join('\n'))).toEqual({ answers: 2, early: 0 })
	expect(judge([write, sync, write, answer].join('\n')).early).toBe(1)
	expect(judge([write, sync, answer, answer].join('\n')).early).toBe(1)
	expect(judge([write, halves[0], answer, halves[1]].join('\n')).early).toBe(1)
	expect(judge([write, sync.replace('= 0', '= -1 EIO'), answer].join('\n')).early).toBe(1)
})

traced(
	'each acknowledgement was written after its event was synced',
	async () => {
		const home = folder()
		const trace = join(home, 'trace')
		const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg'
		// Nothing is delivered meanwhile, so that whatever is synced is what was accepted.
		const config = configOf(join(home, 'outbox.db'), 'http://127.0.0.1:9/', { schedule: ['1h'] })
		const strace = ['strace', '-f', '-y', '-s', '32', '-e', calls, '-o', trace]
		const { url, kill } = await start(config, { SIGN: signingKey }, strace)
		const count = full ? 1000 : 50
		for (let i = 0; i < count; i++) expect(await send(url, `e${i}`, `c${i % 5}`, `${i}`)).toBe(200)
		await kill('SIGKILL')
		const verdict = judge(readFileSync(trace, 'utf8'))
		console.log(`${verdict.answers} acknowledgements, ${verdict.early} before their fsync`)
		expect(verdict).toEqual({ answers: count, early: 0 })
	},
	full ? 120_000 : 40_000,
)

traced(
	'an fsync that fails acknowledges nothing; the file is opened again, and what was acknowledged is there',
	async () => {
		const home = folder()
		const { url: to, events } = await receiver()
		const config = (schedule: string) => configOf(join(home, 'outbox.db'), to, { schedule: [schedule] })
		const inject = 'inject=fsync,fdatasync:error=EIO:when=40+13'
		const strace = ['strace', '-f', '-e', 'trace=fsync,fdatasync', '-e', inject, '-o', join(home, 'trace')]
		const first = await start(config('1h'), { SIGN: signingKey }, strace)
		const acknowledged: string[] = []
		let refused = 0
		for (let i = 0; i < 60; i++) {
			const status = await send(first.url, `e${i}`, `c${i % 5}`, `${i}`)
			if (status === 200) acknowledged.push(`e${i}`)
			else {
				expect(status).toBe(503)
				refused++
				await wait(1100)
			}
		}
		const injected = readFileSync(join(home, 'trace'), 'utf8').split('(INJECTED)').length - 1
		console.log(`${injected} fsyncs failed, ${refused} of 60 events refused`)
		expect(injected).toBeGreaterThan(0)
		expect(refused).toBeGreaterThan(0)
		expect(acknowledged.length).toBeGreaterThan(30)
		await first.kill('SIGKILL')
		// The moments that are stored are an hour off; a shorter schedule brings them nearer.
		await start(config('0s'), { SIGN: signingKey })
		await expect.poll(() => acknowledged.filter((id) => !events.has(id)), { timeout: 20_000 }).toEqual([])
	},
	60_000,
)
