/** The outbox's file is another's, is not to be written, or is broken: the process says so and ends, and changes nothing. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { until } from '../../until.ts'
import { folder } from '../gateway.ts'
import { offer, startAccepting, startTaking } from '../notices.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'

/** Events in the file. */
const count = 20

export const files: Row = {
	id: 'B8',
	fault: 'The outbox’s file is used by another process, is read-only, corrupt, or gone while its log is there',
	demand:
		'the process does not start, says why in one sentence and ends with 69; the file is left to the byte, and never made anew; repaired, all of its events are delivered',
	waits: 'idly',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const home = folder(trial)
		const file = join(home, 'outbox.db')
		let open = false
		const upstream = await startTaking(trial, () => (open ? 200 : 400))
		const outbox = { schedule: ['0s', ...Array.from({ length: 60 }, () => '1s')] }
		const first = await startAccepting(trial, { url: upstream.url, file, outbox })
		for (let n = 0; n < count; n++) await offer(first, n, 'x'.repeat(2000))

		const broken: string[] = []
		/** Starts on this file, which must not work. */
		const refuses = async (
			what: string,
			at: string,
			sentence: RegExp,
			before: readonly string[] = [],
		): Promise<void> => {
			const was = readFileSync(at)
			const said = await startAccepting(trial, { url: upstream.url, file: at, outbox }, { before }).then(
				() => 'it started',
				(thrown: Error) => thrown.message,
			)
			const [, code, words = ''] = /^the gateway ended with (\d+): (.*)\n$/.exec(said) ?? []
			if (code !== '69' || !sentence.test(words)) broken.push(`${what}: ${said.slice(0, 500)}`)
			if (!readFileSync(at).equals(was)) broken.push(`${what}: the file was changed`)
		}
		await refuses('a second process', file, /^Another gateway is using the outbox .+ Stop it, or give/)
		if ((await offer(first, count)).status !== 200) broken.push('the first process was disturbed by the second')
		await first.end()

		const whole = readFileSync(file)
		let made = 0
		/** A file with these bytes. */
		const fileOf = (bytes: Buffer): string => {
			const to = join(home, `copy-${++made}.db`)
			writeFileSync(to, bytes)
			return to
		}
		const over = (from: number, bytes: Buffer): string => {
			const spoilt = Buffer.from(whole)
			bytes.copy(spoilt, from)
			return fileOf(spoilt)
		}
		const noise = Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 256)))
		const orphan = fileOf(Buffer.alloc(0))
		writeFileSync(`${orphan}-wal`, 'x')
		const unwritable = fileOf(whole)
		const cases: readonly Parameters<typeof refuses>[] = [
			['a page of noise', over(4096, noise), corrupt],
			['read-only', unwritable, /cannot be opened: .+\.$/, mayNotWrite(unwritable)],
			['a log without its file', orphan, /is missing, but its log .+ exists\. Restore both\.$/],
			['cut', fileOf(whole.subarray(0, -5000)), corrupt],
			['the head overwritten', over(0, Buffer.alloc(16)), corrupt],
			['no database', fileOf(noise), corrupt],
			['another database', otherDatabase(home), /is a database, but not an outbox/],
		]
		const tried = cases.slice(0, trial.at(2, cases.length, cases.length))
		await Promise.all(tried.map((each) => refuses(...each)))

		// Whatever was refused, the file itself is whole.
		open = true
		await startAccepting(trial, { url: upstream.url, file, outbox })
		const all = Array.from({ length: count + 1 }, (_, n) => n)
		await until(() => upstream.missing(all).length === 0)
		const lost = upstream.missing(all).length
		if (lost > 0) broken.push(`${lost} events were lost`)
		return {
			reached: `${tried.length + 1} files refused, each left as it was; ${all.length} events, ${lost} lost`,
			broken,
		}
	},
}

const corrupt = /^The outbox .+ is corrupt\. It was not changed\./

function otherDatabase(home: string): string {
	const file = join(home, 'other.db')
	const db = new DatabaseSync(file)
	db.exec('CREATE TABLE own (a)')
	db.close()
	return file
}

/** A command that runs another one so that this file is not to be written: to root, who may write whatever it likes, that is taken away. */
function mayNotWrite(file: string): string[] {
	chmodSync(file, 0o400)
	return process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : ['env']
}
