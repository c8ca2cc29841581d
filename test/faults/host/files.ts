/** The outbox's file is another's, is not to be written, is broken or lacks its log: the process says so and ends, and changes nothing. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartFailed } from '../../harness/gateway.ts'
import { notifying } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { delivered, startAccepting, startTaking } from '../accepting.ts'
import { none, type Row } from '../row.ts'
import { each, turnsWith, unexpected } from '../turns.ts'

const lostLog = /^The log .+ is missing, .+ accept-lost-log/
const corrupt = /^The outbox .+ is corrupt\. It was not changed\./

export const files: Row = {
	id: 'B8',
	fault:
		'The outbox’s file is used by another process, is read-only, corrupt, or missing while its log exists; its log is missing or empty after a kill',
	demand:
		'the process does not start, says why in one sentence and exits with 69; the file is unchanged, and never created anew; once repaired, all of its events are delivered',
	waits: 'idly',
	async run(trial) {
		const home = folder(trial)
		const file = join(home, 'outbox.db')
		const upstream = await startTaking(trial)
		const startOn = (at: string, before: readonly string[] = [], schedule = ['1h']) =>
			startAccepting(trial, upstream.url, { outbox: { file: at, schedule } }, { before })
		// Nothing is delivered meanwhile, so that only a start could change the file.
		const first = await startOn(file)
		const take = turnsWith(trial, first)
		const offer = () => take(notifying, undefined, { text: `${trial.nonce()} ${'x'.repeat(2000)}` })
		const turns = await each(20, 1, offer)

		const broken: string[] = []
		/** Starts on this file, which must not work. */
		const refuses = async (what: string, at: string, sentence: RegExp, before?: readonly string[]): Promise<void> => {
			const was = readFileSync(at)
			const failed = await startOn(at, before).catch((thrown: unknown) => thrown)
			const right = failed instanceof StartFailed && failed.code === 69 && /^.*\n$/.test(failed.said)
			if (!right || !sentence.test(failed.said)) broken.push(`${what}: ${String(failed).slice(0, 500)}`)
			if (!readFileSync(at).equals(was)) broken.push(`${what}: the file was changed`)
		}
		await refuses('a second process', file, /^Another gateway is using the outbox .+ Stop it, or give/)
		// The first process is not disturbed by the second.
		turns.push(await offer())
		const unclosed = readFileSync(file)
		await first.end()

		const whole = readFileSync(file)
		let made = 0
		/** A file with these bytes. */
		const fileOf = (bytes: Buffer): string => {
			const to = join(home, `copy-${++made}.db`)
			writeFileSync(to, bytes)
			return to
		}
		const overwritten = (from: number, bytes: Buffer): string =>
			fileOf(Buffer.concat([whole.subarray(0, from), bytes, whole.subarray(from + bytes.length)]))
		const noise = Buffer.from(Array.from({ length: 4096 }, () => Math.floor(trial.random() * 256)))
		const orphan = fileOf(Buffer.alloc(0))
		writeFileSync(`${orphan}-wal`, 'x')
		const unwritable = fileOf(whole)
		const emptied = fileOf(unclosed)
		writeFileSync(`${emptied}-wal`, '')
		const cases: readonly Parameters<typeof refuses>[] = [
			['no log', fileOf(unclosed), lostLog],
			['an empty log', emptied, lostLog],
			['a page of noise', overwritten(4096, noise), corrupt],
			['read-only', unwritable, /cannot be opened: .+\.$/m, mayNotWrite(unwritable)],
			['a log without its file', orphan, /is missing, but its log .+ exists\. Restore both\.$/m],
			['cut', fileOf(whole.subarray(0, -5000)), corrupt],
			['the head overwritten', overwritten(0, Buffer.alloc(16)), corrupt],
			['no database', fileOf(noise), corrupt],
			['another database', otherDatabase(home), /is a database, but not an outbox/],
		]
		const tried = cases.slice(0, trial.at(4, cases.length, cases.length))
		await Promise.all(tried.map((each) => refuses(...each)))

		// Whatever was refused, the file itself is whole.
		await startOn(file, [], ['0s'])
		const texts = turns.map(({ text }) => text)
		const { lost } = await delivered(texts, (without) => upstream.taken.slice(without))
		return {
			reached: `${tried.length + 1} files rejected, each unchanged; ${turns.length} events, ${lost} lost`,
			broken: [...broken, ...unexpected(turns, ['accepted']), ...none(lost, 'events were lost')],
		}
	},
}

function otherDatabase(home: string): string {
	const file = join(home, 'other.db')
	const db = new DatabaseSync(file)
	db.exec('CREATE TABLE own (a)')
	db.close()
	return file
}

/** A command that runs another one so that it may not write this file: from root, who may write any, that right is taken. */
function mayNotWrite(file: string): string[] {
	chmodSync(file, 0o400)
	return process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : ['env']
}
