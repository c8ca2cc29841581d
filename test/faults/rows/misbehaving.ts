/** Every platform on every misbehaving upstream, all at once. */
import { setTimeout as wait } from 'node:timers/promises'
import { type Heard, misbehaviours } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over, slowestTurn } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, countMixedUp, each, failure, nonces, type Speaker, speakers, tally } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

/** Milliseconds before its deadline by which a platform has its answer. */
const margin = 1000
/** Milliseconds beyond the deadline, and beyond what quick turns took meanwhile, that no busy machine explains. */
const clearly = 500
/** Turns under way at once. */
const atOnce = 150

export const misbehaving: Row = {
	id: 'A17',
	fault: 'All of these at once: every platform, every way to misbehave, at the platforms’ own deadlines',
	demand:
		'1,000 turns, 150 in flight: each gets the right answer, typed, by 9.0 s of 10; none gets that of another; none reaches the upstream twice',
	waits: 'idly',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const ways = misbehaviours(random)
		const upstream = await faultUpstream(trial, ways)
		// Every second route has words of its own for a failure.
		const pairs = speakers.flatMap((speaker, i) =>
			Object.entries(ways).map(([name, { hears, slow = false }], j) => {
				const path = `${speaker.name}-${name}`
				const sorry = (i + j) % 2 === 1 && !speaker.oneWay
				const route = { ...speaker.route(path, sorry ? failure : {}), upstream: { url: upstream.at(name) } }
				return { speaker, path, route, slow, expected: expectedOf(hears, speaker, sorry) }
			}),
		)
		const gateway = await startGateway(trial, { routes: pairs.map(({ route }) => route) })
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const order = pairs.map((pair) => ({ pair, at: random() })).toSorted((a, b) => a.at - b.at)

		const turns = await each(trial.at(200, 1000, 3000), atOnce, async (n) => {
			// Nobody calls so often in one instant.
			if (n < atOnce) await wait(n * 10)
			const { pair } = order[n % order.length] ?? {}
			if (!pair) throw new Error('there are pairs')
			const { speaker, path, slow, expected } = pair
			const text = nonce()
			const took = await caller.take(speaker, path, speaker.event(text))
			return { ...took, text, path, slow, expected, over: took.ms - speaker.deadline }
		})

		const heard = turns.map((turn) => turn.heard)
		const wrong = turns.filter(({ heard, expected }) => !expected.includes(heard))
		const quick = Math.max(...turns.filter(({ slow }) => !slow).map(({ ms }) => ms))
		const late = turns.filter((turn) => turn.over >= clearly + quick)
		const again = turns.filter(({ text }) => (upstream.seen.get(text) ?? 0) > 1)
		const broken = faultsOf(gateway)
		if (wrong.length > 0) {
			const first = wrong.slice(0, 5).map(({ path, heard }) => `${path} heard ${heard}`)
			broken.push(`${wrong.length} of ${turns.length} answers were not the right one: ${first.join('; ')}`)
		}
		if (late.length > 0)
			broken.push(
				`${late.length} answers came after the platform had gone: ${late.map(({ path }) => path).slice(0, 5)}`,
			)
		if (again.length > 0) broken.push(`${again.length} turns reached the upstream more than once`)
		const slowest = Math.max(...turns.map((turn) => turn.over))
		const seconds = ((10_000 + slowest) / 1000).toFixed(2)
		return {
			reached: `${turns.length} turns on ${pairs.length} routes, slowest ${seconds} s of 10 (${slowestTurn(gateway).toFixed(2)} s in the gateway), those of quick upstreams ${(quick / 1000).toFixed(2)} s; ${countMixedUp(heard)} of another turn; ${tally(heard)}`,
			broken,
			missed: over(slowest, 50 - margin, () => `slowest ${seconds} s: the machine was busy`),
		}
	},
}

/** What may be heard on a route: the apology where it has one, and that the upstream is left alone where it was in trouble. */
function expectedOf(hears: readonly Heard[], { oneWay }: Speaker, sorry: boolean): readonly Heard[] {
	const failing = hears.some((heard) => troubles.includes(heard))
	const all = failing ? [...hears, 'upstream-circuit-open'] : hears
	// Whoever reads no answer is told that the event was taken, whatever the upstream said when it took it.
	if (oneWay) return hears.some((heard) => taken.includes(heard)) ? ['accepted', ...all] : all
	return sorry ? all.map((heard) => (heard.startsWith('upstream-') ? 'apology' : heard)) : all
}

const troubles = ['upstream-unreachable', 'upstream-timeout', 'upstream-status']
const taken = ['reply', 'silence', 'upstream-reply-invalid']
