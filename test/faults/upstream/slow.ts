/** An upstream that is too slow, and whose late answers belong to no turn. */

import { setTimeout as wait } from 'node:timers/promises'
import { answered } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import type { Script } from '../../harness/upstream.ts'
import { repliesAfter } from '../behaviours.ts'
import { faultsOf, slowestTurn } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, heardOf, mixedUp, nth, slowest, turnsWith, unexpected } from '../turns.ts'

/** Milliseconds until the upstream answers, and what is heard by then. */
const delays: readonly (readonly [ms: number, hears: readonly string[]])[] = [
	// A busy machine may lose the tenth of a second that is left.
	[8400, ['reply', 'upstream-timeout']],
	[8600, ['upstream-timeout']],
	[12_000, ['upstream-timeout']],
	[60_000, ['upstream-timeout']],
]
/** Milliseconds that the upstream of the hasty routes has. */
const hasty = 400

export const slow: Row = {
	id: 'A3',
	fault: 'The upstream answers after 8.4, 8.6, 12 or 60 s',
	demand:
		'1,000 concurrent calls: 100 % answered by 9.0 s, 0 later than 9.5 s; a late answer is dropped, 0 of 10,000 attached to another turn',
	waits: 'busily',
	async run(trial) {
		const { random } = trial
		const haste: Script = (...to) => repliesAfter(random() < 0.9 ? 0 : 2 * hasty * random())(...to)
		const upstream = await trial.upstream({
			...Object.fromEntries(delays.map(([ms]) => [`/${ms}`, repliesAfter(ms)])),
			'/hasty': haste,
		})
		const gateway = await trial.start({
			routes: answered.flatMap((platform) => [
				...delays.map(([ms]) =>
					platform.route({ upstream: { url: `${upstream.url}/${ms}` } }, `${platform.name}-${ms}`),
				),
				platform.route({ upstream: { url: `${upstream.url}/hasty`, timeout: hasty } }, `${platform.name}-hasty`),
			]),
		})
		const take = turnsWith(trial, gateway)

		const count = trial.at(100, 1000, 1000)
		const turns = await each(count, count, async (n) => {
			// Nobody calls a thousand times in one instant.
			await wait(random() * 3 * count)
			const platform = oneOf(answered, random)
			const [ms, hears] = nth(delays, n)
			return { ...(await take(platform, `${platform.name}-${ms}`)), hears }
		})
		const quick = await each(trial.at(500, 5000, 10_000), 50, () => {
			const platform = oneOf(answered, random)
			return take(platform, `${platform.name}-hasty`)
		})
		const mixed = [...turns, ...quick].filter(({ heard }) => heard === mixedUp).length
		const seconds = slowest(turns) / 1000
		return {
			reached: `${heardOf(turns)}, slowest ${seconds.toFixed(2)} s (${slowestTurn(gateway).toFixed(2)} s in the gateway); of ${quick.length} with a short timeout ${heardOf(quick)}, ${mixed} of another turn`,
			broken: [
				...faultsOf(gateway),
				...unexpected(quick, ['reply', 'upstream-timeout', 'upstream-circuit-open']),
				...turns.filter(({ hears, heard }) => !hears.includes(heard)).map(({ heard }) => `heard ${heard}`),
				...unless(seconds <= 20, `an answer came after ${seconds.toFixed(2)} s`),
				...unless(
					quick.some(({ heard }) => heard === 'upstream-timeout'),
					'no answer was late',
				),
			],
			missed: over(seconds, 9.05, (it) => `${it} s: the machine was busy`),
		}
	},
}
