/**
 * Measures the gateway beside other programs that do the same work: `npm run bench`. `--only P1,P4` runs some
 * experiments, `--peers gateway,bare` measures some peers, `--write` keeps the results and writes the documents that show
 * them. `--short` takes less time for each; without `--only` it is the form for CI: one comparison, which fails when a turn
 * costs many times what it should.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { allocation } from './allocation.ts'
import type { Pace } from './compare.ts'
import { conversations } from './conversations.ts'
import { database } from './database.ts'
import { describeTarget, type Experiment, type Finding, holds } from './experiment.ts'
import { everyFormat } from './formats.ts'
import { largeBodies } from './large-bodies.ts'
import { manyRoutes } from './many-routes.ts'
import { oneWay } from './one-way.ts'
import { hasGenerator } from './peers.ts'
import { profile } from './profile.ts'
import { writeResult } from './results.ts'
import { sharedState } from './shared-state.ts'
import { starting } from './starting.ts'
import { atOnce, crowded, forCi } from './turns.ts'
import { waiting } from './waiting.ts'
import { worker } from './worker.ts'

const { values } = parseArgs({
	options: {
		short: { type: 'boolean', default: false },
		only: { type: 'string' },
		peers: { type: 'string' },
		write: { type: 'boolean', default: false },
	},
})

const experiments: readonly Experiment[] = [
	...[atOnce, crowded, waiting, manyRoutes, starting, worker],
	...[largeBodies, oneWay, everyFormat, conversations, profile, allocation],
	...[sharedState, database],
]

const pace: Pace = values.short
	? { warmUp: 4, warmTurns: 20_000, round: 2, rounds: 5 }
	: { warmUp: 12, warmTurns: 20_000, round: 4, rounds: 6 }

const only = values.only?.split(',')
const peers = values.peers?.split(',')
const chosen = values.short && !only ? [forCi] : experiments.filter(({ id }) => only?.includes(id) ?? true)
if (values.short && !hasGenerator()) {
	console.log('skipped: there is no program that makes load, neither wrk nor autocannon')
	process.exit()
}
/** What ends the processes and deletes the folders of the experiment that runs. */
const ends: (() => unknown)[] = []
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	process.once(signal, async () => {
		await endAll()
		process.exit(1)
	})
}
let missed = 0
for (const experiment of chosen) {
	const finding = await run(experiment)
	print(experiment, finding)
	missed += finding.targets.filter((target) => !holds(target)).length
	if (values.write) writeResult(experiment.id, finding)
}
if (values.write) execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/docs.ts', import.meta.url))])
// Only what CI checks has a margin.
process.exit(chosen.length === 0 || (chosen.includes(forCi) && missed > 0) ? 1 : 0)

async function run(experiment: Experiment): Promise<Finding> {
	const after = (end: () => unknown): void => void ends.push(end)
	try {
		return await experiment.run({ after, pace, ...(peers && { only: peers }) })
	} finally {
		await endAll()
	}
}

async function endAll(): Promise<void> {
	for (const end of ends.splice(0).reverse()) await end()
}

function print({ id, title }: Experiment, { head, rows, targets }: Finding): void {
	console.log(`\n${id}: ${title}`)
	const lines = [head, ...rows]
	const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
	for (const line of lines) console.log(line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
	for (const target of targets) console.log(describeTarget(target))
}
