/**
 * Injects every fault of the table and writes the results to docs/reliability.md: `npm run test:faults`. `--short` is the
 * run for CI and `--full` the one for a release; `--only A3,D` runs some rows, `--seed N` repeats the values of a run.
 * Short runs, and runs with `--only`, do not write the page.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { starter } from '../harness/gateway.ts'
import { randomFrom } from '../harness/random.ts'
import { startUpstream } from '../harness/upstream.ts'
import { type Ran, writeReport } from './report.ts'
import type { Outcome, Row, Scale, Trial } from './row.ts'
import { rows } from './table.ts'
import { each, nonces } from './turns.ts'

const { values } = parseArgs({
	options: {
		short: { type: 'boolean', default: false },
		full: { type: 'boolean', default: false },
		only: { type: 'string' },
		seed: { type: 'string' },
	},
})
const scale: Scale = values.short ? 'short' : values.full ? 'full' : 'normal'
/** Waiting rows that run concurrently. With more, their figures would depend on the machine; short runs have two rows beside. */
const atOnce = scale === 'short' ? 3 : 5
const seed = Number(values.seed ?? (scale === 'short' ? 1 : Date.now() % 1_000_000))
const only = values.only?.split(',')
const chosen = rows.filter(({ id }) => !only || only.some((each) => id === each || id.replace(/\d.*$/, '') === each))
const besideOthers = ({ waits }: Row) =>
	scale === 'short' ? waits !== undefined : scale === 'normal' && waits === 'idly'

const ran = new Map<string, Outcome>()
if (process.send) {
	// Started by another of these, which is told each outcome and says the rest.
	process.once('disconnect', () => process.exit(1))
	await tryRows(chosen)
	process.disconnect()
	process.exit()
}
console.log(`${chosen.length} row(s), ${scale}, seed ${seed}`)
// In short runs speed matters more than figures: hostile callers mostly compute, and run beside the rest, which mostly waits,
// in a process of their own, whose event loop holds up nobody else.
const isApart = (row: Row) => scale === 'short' && row.id.startsWith('D') && !besideOthers(row)
const [here, apart] = [chosen.filter((row) => !isApart(row)), chosen.filter(isApart)]
if (here.length === 0) await tryRows(apart)
else await Promise.all([tryRows(here), tryElsewhere(apart)])
const lost: Outcome = { reached: '', broken: ['the process ended before the row did'] }
const inOrder = chosen.map((row): Ran => ({ row, outcome: ran.get(row.id) ?? lost }))
if (!only && scale !== 'short') await writeReport(inOrder, scale, seed)
const failed = inOrder.filter(({ outcome }) => outcome.broken.length > 0)
if (failed.length > 0) console.log('failed:')
for (const { row, outcome } of failed) console.log(`  ${row.id}  ${row.fault}: ${outcome.broken[0]?.split('\n', 1)}`)
console.log(`${chosen.length - failed.length} hold, ${failed.length} do not`)
// Anything that a row did not stop would keep the process alive.
process.exit(failed.length > 0 || chosen.length === 0 ? 1 : 0)

async function tryRows(some: readonly Row[]): Promise<void> {
	const waiting = tryAll(some.filter(besideOthers), atOnce)
	// Beside the others, waiting rows would change their figures, which only short runs do not keep.
	if (scale !== 'short') await waiting
	await tryAll(
		some.filter((row) => !besideOthers(row)),
		1,
	)
	await waiting
}

async function tryElsewhere(some: readonly Row[]): Promise<void> {
	if (some.length === 0) return
	const ids = some.map(({ id }) => id).join(',')
	const child = fork(import.meta.filename, ['--short', '--seed', String(seed), '--only', ids])
	child.on('message', ([id, outcome]: [string, Outcome]) => ran.set(id, outcome))
	await once(child, 'close')
}

async function tryAll(some: readonly Row[], atOnce: number): Promise<void> {
	await each(some.length, atOnce, async (n) => {
		const row = some[n]
		if (!row) return
		const from = performance.now()
		const outcome = await outcomeOf(row)
		const seconds = ((performance.now() - from) / 1000).toFixed(1)
		ran.set(row.id, outcome)
		if (process.send) await new Promise((told) => process.send?.([row.id, outcome], told))
		// At once: two processes may be writing.
		const lines = [
			`${outcome.broken.length > 0 ? 'FAILED' : 'ok    '}  ${row.id}  ${row.fault} (${seconds} s)`,
			`            ${outcome.reached}`,
			...outcome.broken.map((sentence) => `    broken  ${sentence}`),
			...(outcome.missed ?? []).map((sentence) => `    missed  ${sentence}`),
		]
		console.log(lines.join('\n'))
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
