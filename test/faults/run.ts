/**
 * Tries every fault of the table and writes what was reached to docs/reliability.md: `npm run test:faults`.
 * `--short` is the form for CI and `--full` the one for a release; `--only A3,D` runs some rows and `--seed N` repeats a
 * run, and neither of these writes the page.
 */
import { parseArgs } from 'node:util'
import { type Ran, writeReport } from './report.ts'
import type { Outcome, Row, Scale, Trial } from './row.ts'
import { rows } from './rows/index.ts'

const { values } = parseArgs({
	options: {
		short: { type: 'boolean', default: false },
		full: { type: 'boolean', default: false },
		only: { type: 'string' },
		seed: { type: 'string' },
	},
})
const scale: Scale = values.short ? 'short' : values.full ? 'full' : 'usual'
const seed = Number(values.seed ?? (scale === 'short' ? 1 : Date.now() % 1_000_000))
const only = values.only?.split(',')
const chosen = rows.filter(({ id }) => !only || only.some((each) => id === each || id.replace(/\d.*$/, '') === each))

console.log(`${chosen.length} row(s), ${scale}, seed ${seed}`)
const ran: Ran[] = []
const begun = new Map<Row, ReturnType<typeof tryOut>>()
const besideOthers = ({ waits }: Row) =>
	scale === 'short' ? waits !== undefined : scale === 'usual' && waits === 'idly'
for (const row of chosen) {
	if (besideOthers(row) && !begun.has(row)) {
		const beside = chosen.filter((each) => besideOthers(each) && each.id[0] === row.id[0])
		for (const each of beside) begun.set(each, tryOut(each))
		await Promise.all(beside.map((each) => begun.get(each)))
	}
	const { outcome, seconds } = await (begun.get(row) ?? tryOut(row))
	ran.push({ row, outcome })
	console.log(`${outcome.broken.length > 0 ? 'FAILED' : 'ok    '}  ${row.id}  ${row.fault} (${seconds.toFixed(1)} s)`)
	console.log(`            ${outcome.reached}`)
	for (const each of outcome.broken) console.log(`    broken  ${each}`)
	for (const each of outcome.missed ?? []) console.log(`    missed  ${each}`)
}
if (!only && scale !== 'short') await writeReport(ran, scale, seed)
const failed = ran.filter(({ outcome }) => outcome.broken.length > 0)
console.log(`${ran.length - failed.length} hold, ${failed.length} do not`)
// Whatever a row forgot to end would keep the process.
process.exit(failed.length > 0 || ran.length === 0 ? 1 : 0)

async function tryOut(row: Row): Promise<{ outcome: Outcome; seconds: number }> {
	const from = performance.now()
	const outcome = await outcomeOf(row)
	return { outcome, seconds: (performance.now() - from) / 1000 }
}

async function outcomeOf(row: Row): Promise<Outcome> {
	const ends: (() => unknown)[] = []
	const trial: Trial = {
		scale,
		seed,
		at: (short, usual, full) => ({ short, usual, full })[scale],
		after: (end) => ends.push(end),
	}
	try {
		return await row.run(trial)
	} catch (thrown) {
		return { reached: '', broken: [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)] }
	} finally {
		for (const end of ends.reverse()) await Promise.resolve(end()).catch(() => {})
	}
}
