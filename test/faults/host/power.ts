/** Power failure: what was acknowledged had been synced before, and unsynced data is detected as such. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { batchOf, entry, outboxRig } from '../../outbox/rig.ts'
import { judge, traced } from '../../outbox/trace.ts'
import { startAccepting, traces } from '../accepting.ts'
import { none, type Row, unless, untried } from '../row.ts'
import { each, nth, turnsWith, unexpected } from '../turns.ts'

export const syncing: Row = {
	id: 'B3',
	fault: 'The power fails: is an event on the disk when it is acknowledged?',
	demand: '1,000 events: each 2xx is sent after the event was written and its fsync returned; 0 violations',
	waits: 'idly',
	async run(trial) {
		if (!traces()) return untried('strace', 'strace is not there, or may not trace')
		const trace = join(folder(trial), 'trace')
		const count = trial.at(50, 1000, 1000)
		// Nothing is delivered meanwhile, so that whatever is synced is what was accepted.
		const outbox = { schedule: ['1h'] }
		const gateway = await startAccepting(trial, 'http://127.0.0.1:9/', { outbox }, { before: traced(trace) })
		const take = turnsWith(trial, gateway)
		const turns = await each(count, 1, () => take(notifying))
		await gateway.end('SIGKILL')
		const { answers, early } = judge(readFileSync(trace, 'utf8'))
		return {
			reached: `${answers} acknowledgements, ${early} before their fsync`,
			broken: [
				...none(early, `of ${answers} events were acknowledged before their fsync`),
				...unexpected(turns, ['accepted']),
				...unless(answers === count, `the trace has ${answers} acknowledgements of ${count}`),
			],
		}
	},
}

/** Events that are stored before the power fails. */
const stored = 40

export const torn: Row = {
	id: 'B3b',
	fault: 'The power fails: the end of the log is zeros, noise, half of it, or sectors of it are missing',
	demand: '10,000 torn tails after the last synced byte: 0 acknowledged events lost, 0 files corrupt, 0 holes',
	async run(trial) {
		const { random } = trial
		const upTo = (most: number): number => Math.floor(random() * (most + 1))
		const { settingsOf, storeOf } = outboxRig(trial.after)
		const settings = settingsOf({})
		const store = storeOf(settings)
		const payloadOf = (n: number) => 'x'.repeat(50 * n)
		/** The length of the log after each acknowledgement. */
		const synced = Array.from({ length: stored }, (_, n) => {
			store.commit(batchOf({ entries: [entry(`${n}`, `c${n % 3}`, payloadOf(n))] }))
			return endOf(readFileSync(`${settings.file}-wal`))
		})
		const [main, log] = [readFileSync(settings.file), readFileSync(`${settings.file}-wal`)]
		/** What may become of bytes that were never synced. */
		const tears: readonly ((rest: Buffer) => void)[] = [
			() => {},
			(rest) => rest.fill(0),
			(rest) => {
				for (let at = 0; at < rest.length; at++) rest[at] = upTo(255)
			},
			// Sectors that never reached the disk, between others that did.
			(rest) => {
				for (let at = 0; at < rest.length; at += 512)
					if (random() < 0.5) rest.fill(0, at, Math.min(at + 512, rest.length))
			},
		]
		const found = { lost: 0, holes: 0, corrupt: 0 }
		const count = trial.at(100, 1000, 10_000)
		// A disk that forgets is soon written; here it is not the syncing that is tried.
		const memory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'dragoman-torn-'))
		trial.after(() => rmSync(memory, { recursive: true, force: true }))
		const home = settingsOf({}, join(memory, 'outbox.db'))
		for (let n = 0; n < count; n++) {
			const acknowledged = upTo(stored - 1) + 1
			const end = synced[acknowledged - 1] ?? 0
			const rest = Buffer.from(log.subarray(end, end + upTo(20_000)))
			nth(tears, n)(rest)
			writeFileSync(home.file, main)
			writeFileSync(`${home.file}-wal`, Buffer.concat([log.subarray(0, end), rest]))
			try {
				const next = storeOf(home)
				const ids: string[] = []
				for (let taken = -1; taken !== ids.length; ) {
					taken = ids.length
					const outcomes = ids.map((id) => ({ id, result: 'delivered' }) as const)
					const { claimed } = next.commit(batchOf({ outcomes, room: { in: 1000 } }))
					for (const { id, payload } of claimed) if (payload === payloadOf(Number(id))) ids.push(id)
				}
				next.close()
				// What was not acknowledged may be there, but nothing before it may be missing.
				const there = new Set(ids.map(Number))
				if (Array.from({ length: acknowledged }, (_, n) => n).some((n) => !there.has(n))) found.lost++
				if (Math.max(...there) !== there.size - 1) found.holes++
			} catch {
				found.corrupt++
			}
		}
		return {
			reached: `${count} torn tails: ${found.lost} lost an event, ${found.holes} left a hole, ${found.corrupt} were corrupt`,
			broken: [
				...none(found.lost, 'tails lost an acknowledged event'),
				...none(found.holes, 'tails left a hole'),
				...none(found.corrupt, 'files could not be opened'),
			],
		}
	},
}

/** Where the frames of a log end that belong to it: what follows is older. See https://www.sqlite.org/fileformat2.html#walformat. */
function endOf(log: Buffer): number {
	const [header, frame] = [32, 24 + 4096]
	const salts = log.subarray(16, 24)
	let end = header
	while (log.subarray(end + 8, end + 16).equals(salts)) end += frame
	return end
}
