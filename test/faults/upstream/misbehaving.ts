/** Every platform on every misbehaving upstream, all at once. */

import { setTimeout as wait } from 'node:timers/promises'
import { type Platform, platforms } from '../../harness/platforms.ts'
import { type Behaviour, misbehaviours } from '../behaviours.ts'
import { faultsOf, slowestTurn } from '../health.ts'
import { none, over, type Row } from '../row.ts'
import {
	apologising,
	countEach,
	each,
	type Heard,
	heardOf,
	mixedUp,
	nonceOf,
	nth,
	slowest,
	turnsWith,
} from '../turns.ts'

/** Milliseconds before its deadline by which a platform has its answer. */
const margin = 1000
/** Milliseconds beyond the deadline, and beyond what quick turns took meanwhile, that no busy machine explains. */
const clearly = 500
/** Turns under way at once. */
const atOnce = 150

export const misbehaving: Row = {
	id: 'A17',
	fault: 'All of these at once: every platform, every misbehaviour, with the platforms’ own deadlines',
	demand:
		'1,000 turns, 150 in flight: each gets the right answer, typed, by 9.0 s of 10; none gets the answer of another turn; none reaches the upstream twice',
	waits: 'idly',
	async run(trial) {
		const ways = Object.entries(misbehaviours(trial.random))
		const upstream = await trial.upstream(Object.fromEntries(ways.map(([name, { script }]) => [`/${name}`, script])))
		// Every second route has words of its own for a failure.
		const pairs = platforms.flatMap((platform, i) =>
			ways.map(([name, behaviour], j) => {
				const { slow = false } = behaviour
				const path = `${platform.name}-${name}`
				const sorry = (i + j) % 2 === 1 && !platform.oneWay
				const more = { upstream: { url: `${upstream.url}/${name}` }, ...(sorry && apologising) }
				return {
					platform,
					path,
					slow,
					route: platform.route(more, path),
					expected: expectedOf(behaviour, platform, sorry),
				}
			}),
		)
		const gateway = await trial.start({ routes: pairs.map(({ route }) => route) })
		const take = turnsWith(trial, gateway)
		const order = pairs.map((pair) => ({ pair, at: trial.random() })).toSorted((a, b) => a.at - b.at)

		const turns = await each(trial.at(200, 1000, 3000), atOnce, async (n) => {
			// Nobody calls so often in one instant.
			if (n < atOnce) await wait(n * 10)
			const { pair } = nth(order, n)
			const turn = await take(pair.platform, pair.path)
			return { ...turn, ...pair, over: turn.ms - pair.platform.deadline }
		})

		const wrong = turns.filter(({ heard, expected }) => !expected.includes(heard))
		const quick = slowest(turns.filter(({ slow }) => !slow))
		const tooLate = turns.filter((turn) => turn.over >= clearly + quick)
		const copies = countEach(upstream.calls.map(nonceOf))
		const again = turns.filter(({ text }) => (copies.get(text) ?? 0) > 1)
		const first = wrong.slice(0, 5).map(({ path, heard }) => `${path} heard ${heard}`)
		const most = Math.max(...turns.map((turn) => turn.over))
		const seconds = ((10_000 + most) / 1000).toFixed(2)
		const mixed = turns.filter(({ heard }) => heard === mixedUp).length
		return {
			reached: `${turns.length} turns on ${pairs.length} routes, slowest ${seconds} s of 10 (${slowestTurn(gateway).toFixed(2)} s in the gateway), with fast upstreams ${(quick / 1000).toFixed(2)} s; ${mixed} of another turn; ${heardOf(turns)}`,
			broken: [
				...faultsOf(gateway),
				...none(wrong.length, `of ${turns.length} answers were not the right one: ${first.join('; ')}`),
				...none(
					tooLate.length,
					`answers came after the platform had gone: ${tooLate.map(({ path }) => path).slice(0, 5)}`,
				),
				...none(again.length, 'turns reached the upstream more than once'),
			],
			missed: over(most, 50 - margin, () => `slowest ${seconds} s: the machine was busy`),
		}
	},
}

/** What may be heard on a route: the apology where it has one, and an open circuit where the upstream was in trouble. */
function expectedOf({ hears, afterHead }: Behaviour, { oneWay }: Platform, sorry: boolean): readonly Heard[] {
	const circuit = hears.some((heard) => troubles.includes(heard)) ? ['upstream-circuit-open'] : []
	const all = [...hears, ...circuit]
	// Where no answer is read, the event counts as taken when the status says so, whatever comes behind it.
	if (oneWay && afterHead) return ['accepted', ...circuit]
	if (oneWay) return hears.some((heard) => taken.includes(heard)) ? ['accepted', ...all] : all
	return sorry ? all.map((heard) => (heard.startsWith('upstream-') ? 'apology' : heard)) : all
}

const troubles = ['upstream-unreachable', 'upstream-timeout', 'upstream-status']
const taken = ['reply', 'silence', 'upstream-reply-invalid']
