/** An upstream that fails now and then, and one that fails and recovers. */

import { setTimeout as wait } from 'node:timers/promises'
import { own } from '../../harness/platforms.ts'
import type { Script } from '../../harness/upstream.ts'
import { either, fails, hangsUp, replies, resetsAt } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, heardOf, type Turn, turnsWith, unexpected } from '../turns.ts'

/** Failures in a row after which the circuit opens, and milliseconds between the calls that try whether it is back. */
const [tolerated, probeEvery] = [5, 500]
/** What all repeats together may add to the calls. */
const share = 0.2
/** Turns under way at once. */
const atOnce = 16

/** What fails now and then: how, and what may be heard. */
function nowAndThen(random: () => number): { readonly [path: string]: readonly [Script, ...hears: string[]] } {
	return {
		flaps: [either(random, 0.5, fails(503)), 'reply', 'upstream-status', 'upstream-circuit-open'],
		// So seldom that the circuit stays closed, and whatever repeats such calls shows.
		errs: [either(random, 0.2, fails(500)), 'reply', 'upstream-status', 'upstream-circuit-open'],
		drops: [either(random, 0.5, hangsUp), 'reply', 'upstream-unreachable', 'upstream-circuit-open'],
		breaks: [
			either(
				random,
				0.5,
				resetsAt(() => 0.99),
			),
			'reply',
			'upstream-reply-invalid',
		],
	}
}

export const flapping: Row = {
	id: 'A10',
	fault: 'The upstream answers 5xx, flaps, or drops calls without an answer',
	demand:
		'it gets at most 1.2 times the calls; the circuit opens after 5 failures and the calls in progress, with one probe every 500 ms; turns succeed within 1 s of its recovery; no call is retried after its answer began',
	async run(trial) {
		const ways = nowAndThen(trial.random)
		let healthy = true
		const hit: number[] = []
		const upstream = await trial.upstream({
			...Object.fromEntries(Object.entries(ways).map(([path, [script]]) => [`/${path}`, script])),
			'/fails': (call, connection) => {
				hit.push(call.at)
				return (healthy ? replies : fails(500))(call, connection)
			},
		})
		const gateway = await trial.start({
			routes: [...Object.keys(ways), 'fails'].map((path) =>
				own.route({ upstream: { url: `${upstream.url}/${path}` }, idempotent: path !== 'fails' }, path),
			),
		})
		const take = turnsWith(trial, gateway)
		/** Turns one after the other, many times over, for so long. */
		const takeFor = async (milliseconds: number, path: string, pause: (turn: Turn) => number) => {
			const until = performance.now() + milliseconds
			const turns: Turn[] = []
			await each(atOnce, atOnce, async () => {
				while (performance.now() < until) {
					const turn = await take(own, path)
					turns.push(turn)
					if (pause(turn) > 0) await wait(pause(turn))
				}
			})
			return turns
		}
		const broken: string[] = []
		const figures: string[] = []
		for (const [path, [, ...hears]] of Object.entries(ways)) {
			const before = upstream.calls.length
			// A user who is told to come back later does not come back at once.
			const turns = await takeFor(trial.at(800, 2500, 20_000), path, ({ heard }) =>
				heard === 'upstream-circuit-open' ? 50 : 0,
			)
			const calls = upstream.calls.length - before
			// While the circuit is open nothing is called: the share is of the calls that were made at all.
			const made = turns.filter(({ heard }) => heard !== 'upstream-circuit-open').length
			figures.push(`${path}: ${calls} calls for ${made} turns`)
			broken.push(
				...unexpected(turns, hears),
				...unless(calls <= made * (1 + share) + 10, `${path}: ${calls} calls for ${made} turns`),
				...unless(path === 'drops' || calls === made, `${path}: an answered call was retried`),
			)
		}

		await each(100, atOnce, () => take(own, 'fails'))
		healthy = false
		hit.length = 0
		const until = performance.now() + trial.at(1600, 5000, 10_000)
		const failing = await takeFor(until - performance.now(), 'fails', () => 5)
		const opened = (hit[tolerated - 1] ?? 0) + 100
		const soon = hit.filter((at) => at < opened).length
		const probes = hit.filter((at) => at >= opened)
		const nearest = Math.min(...probes.slice(1).map((at, i) => at - (probes[i] ?? 0)))
		const most = Math.ceil((until - opened) / probeEvery) + 1
		healthy = true
		const from = performance.now()
		while ((await take(own, 'fails')).heard !== 'reply' && performance.now() - from < 20_000) await wait(10)
		const back = performance.now() - from
		const recovered = await each(200, atOnce, () => take(own, 'fails'))
		figures.push(
			`open after ${soon} calls with ${atOnce} in progress, ${probes.length} probes, the closest two ${nearest.toFixed(0)} ms apart, ${heardOf(failing)}`,
			`turns succeeded ${back.toFixed(0)} ms after its recovery`,
		)
		return {
			reached: figures.join('; '),
			broken: [
				...broken,
				...faultsOf(gateway),
				...unexpected(failing, ['upstream-status', 'upstream-circuit-open']),
				...unexpected(recovered, ['reply']),
				...unless(soon <= tolerated + atOnce, `${soon} calls until the circuit was open`),
				...unless(probes.length <= most, `${probes.length} probes, and there is time for ${most}`),
				...unless(probes.length >= 2, 'it was not tried again'),
				...unless(back <= 20_000, 'turns did not go on'),
			],
			missed: over(back, 1000, (it) => `turns succeeded ${it} ms after its recovery: the machine was busy`),
		}
	},
}
