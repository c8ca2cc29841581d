/**
 * Injects every fault of the table and writes the results to docs/reliability.md: `npm run test:faults`. `--short` is the
 * run for CI and `--full` the one for a release; `--only A3,D` runs some rows, `--seed N` repeats the values of a run.
 * Short runs, and runs with `--only`, do not write the page.
 */
import { parseArgs } from 'node:util'
import { starter } from '../harness/gateway.ts'
import { randomFrom } from '../harness/random.ts'
import { startUpstream } from '../harness/upstream.ts'
import { type Ran, writeReport } from './report.ts'
import type { Outcome, Row, Scale, Trial } from './row.ts'
import { rows } from './table.ts'
import { each, nonces } from './turns.ts'

/** Waiting rows that run concurrently. With more, their figures would depend on the machine. */
const atOnce = 5

const { values } = parseArgs({
	options: {
		short: { type: 'boolean', default: false },
		full: { type: 'boolean', default: false },
		only: { type: 'string' },
		seed: { type: 'string' },
	},
})
const scale: Scale = values.short ? 'short' : values.full ? 'full' : 'normal'
const seed = Number(values.seed ?? (scale === 'short' ? 1 : Date.now() % 1_000_000))
const only = values.only?.split(',')
const chosen = rows.filter(({ id }) => !only || only.some((each) => id === each || id.replace(/\d.*$/, '') === each))
const besideOthers = ({ waits }: Row) =>
	scale === 'short' ? waits !== undefined : scale === 'normal' && waits === 'idly'

console.log(`${chosen.length} row(s), ${scale}, seed ${seed}`)
const ran = new Map<Row, Outcome>()
const waiting = tryAll(chosen.filter(besideOthers), atOnce)
// In short runs speed matters more than figures: waiting rows run concurrently with the others, too.
if (scale !== 'short') await waiting
await tryAll(
	chosen.filter((row) => !besideOthers(row)),
	1,
)
await waiting
const inOrder = chosen.flatMap((row): Ran[] => {
	const outcome = ran.get(row)
	return outcome ? [{ row, outcome }] : []
})
if (!only && scale !== 'short') await writeReport(inOrder, scale, seed)
const failed = inOrder.filter(({ outcome }) => outcome.broken.length > 0)
if (failed.length > 0) console.log('failed:')
for (const { row, outcome } of failed) console.log(`  ${row.id}  ${row.fault}: ${outcome.broken[0]?.split('\n', 1)}`)
console.log(`${ran.size - failed.length} hold, ${failed.length} do not`)
// Anything that a row did not stop would keep the process alive.
process.exit(failed.length > 0 || ran.size === 0 ? 1 : 0)

async function tryAll(some: readonly Row[], atOnce: number): Promise<void> {
	await each(some.length, atOnce, async (n) => {
		const row = some[n]
		if (!row) return
		const from = performance.now()
		const outcome = await outcomeOf(row)
		const seconds = ((performance.now() - from) / 1000).toFixed(1)
		ran.set(row, outcome)
		console.log(`${outcome.broken.length > 0 ? 'FAILED' : 'ok    '}  ${row.id}  ${row.fault} (${seconds} s)`)
		console.log(`            ${outcome.reached}`)
		for (const sentence of outcome.broken) console.log(`    broken  ${sentence}`)
		for (const sentence of outcome.missed ?? []) console.log(`    missed  ${sentence}`)
	})
}

async function outcomeOf(row: Row): Promise<Outcome> {
	const ends: (() => unknown)[] = []
	const after = (end: () => unknown): void => void ends.push(end)
	const trial: Trial = {
		...{ scale, seed, random: randomFrom(seed), nonce: nonces(seed), after, start: starter({ after }) },
		at: (short, normal, full) => ({ short, normal, full })[scale],
		upstream: (scripts, at) => startUpstream({ after }, scripts, at),
	}
	try {
		const outcome = await row.run(trial)
		return { ...outcome, broken: outcome.broken.slice(0, 10) }
	} catch (thrown) {
		return { reached: '', broken: [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)] }
	} finally {
		for (const end of ends.reverse()) await Promise.resolve(end()).catch(() => {})
	}
}
