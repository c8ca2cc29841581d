/** Answers that break off, or go on where they should end. */
import { misbehaviours } from '../behaviours.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { tally } from '../turns.ts'
import { tryWays } from '../ways.ts'

export const brokenOff: Row = {
	id: 'A5',
	fault: 'Resets at any byte, less of a body than was declared, more of it, a second answer',
	demand: '10,000 of them: 0 partial replies, 0 crashes, 100 % typed, 0 answers of another turn',
	async run(trial) {
		const all = misbehaviours(randomFrom(trial.seed + 1))
		const names = ['resets', 'ends-unasked', 'says-less', 'says-more', 'says-twice', 'no-http']
		const ways = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)))
		const { tried, broken } = await tryWays(trial, { ways, turns: trial.at(400, 10_000, 20_000) })
		return { reached: `${tried.length}: ${tally(tried.map(({ heard }) => heard))}`, broken }
	},
}
