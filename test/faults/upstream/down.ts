/** An upstream that is down, and then comes back. */

import { open, percentile } from '../../harness/load.ts'
import { answered, oneWay, platforms } from '../../harness/platforms.ts'
import { delivered, outboxOf } from '../accepting.ts'
import { replies } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { none, over, type Row, unless } from '../row.ts'
import { hear, heardOf, nonceOf, nth, unexpected } from '../turns.ts'

/** Calls a second. */
const rate = 500

export const down: Row = {
	id: 'A1',
	fault: 'The upstream is down: connections are refused',
	demand:
		'10,000 calls at 500/s: 100 % typed, 0 hung, p99 at most 50 ms once the circuit is open; 0 accepted events lost when it is back',
	async run(trial) {
		const seconds = trial.at(2, 20, 20)
		const upstream = await trial.upstream(replies)
		const gateway = await trial.start({
			outbox: outboxOf(trial, { schedule: Array(100).fill('1s') }),
			upstream: { url: upstream.url },
			routes: platforms.map((platform) => platform.route()),
		})
		await upstream.shut()

		const calls = Array.from({ length: rate * seconds }, (_, n) => {
			const platform = nth(n % 10 === 0 ? oneWay : answered, Math.floor(n / 10))
			const text = trial.nonce()
			return { platform, text, event: platform.event(text) }
		})
		const turns: { text: string; heard: string; ms: number; n: number }[] = []
		const load = await open(gateway.url, {
			...{ rate, seconds },
			call(n) {
				const { platform, event } = nth(calls, n)
				return platform.call(event)
			},
			judge(answer, n) {
				const { platform, event, text } = nth(calls, n)
				turns.push({ text, heard: hear(platform, event, answer), ms: answer.ms, n })
				return undefined
			},
		})
		const accepted = turns.filter(({ heard }) => heard === 'accepted').map(({ text }) => text)
		const times = turns.filter(({ heard, n }) => heard !== 'accepted' && n >= rate).map(({ ms }) => ms)
		const p99 = percentile(times, 0.99)
		await upstream.open()
		const events = await delivered(accepted, () => upstream.calls.map(nonceOf), 60_000)
		return {
			reached: `${load.sent} calls: ${heardOf(turns)}; p99 ${p99.toFixed(1)} ms; ${events.lost} of ${accepted.length} events lost, the last delivered ${events.seconds.toFixed(1)} s after it was back`,
			broken: [
				...faultsOf(gateway),
				...unexpected(turns, ['upstream-unreachable', 'upstream-circuit-open', 'accepted']),
				...none(load.unanswered(), `calls without an answer: ${[...load.failures.keys()]}`),
				...unless(accepted.length > 0, 'no event was accepted'),
				...events.broken,
			],
			missed: over(p99, 50, (it) => `p99 ${it} ms: the machine was busy`),
		}
	},
}
