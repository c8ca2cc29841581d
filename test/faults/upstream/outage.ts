/** An upstream that is down, and then back. */

import { setTimeout as wait } from 'node:timers/promises'
import { open, percentile } from '../../harness/load.ts'
import { answered, notifying, oneWay, own, platforms } from '../../harness/platforms.ts'
import { atOnceThenEach, delivered, outboxOf } from '../accepting.ts'
import { replies, repliesAfter } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { none, over, type Row, unless } from '../row.ts'
import { each, hear, heardOf, nonceOf, nth, type Turn, turnsWith, unexpected } from '../turns.ts'

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
		const events = await delivered(accepted, (without) => upstream.calls.slice(without).map(nonceOf), 60_000)
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

/** Deliveries under way at once. */
const concurrency = 16
/** Milliseconds that the upstream takes. */
const service = 5

export const backlog: Row = {
	id: 'A15',
	fault: 'The upstream is back after an outage, with a backlog of accepted events',
	demand:
		'20,000 queued: 0 lost; never more concurrent deliveries than configured; p99 of turns at most twice the idle one',
	except:
		'scaled down: the outage lasts only while the backlog is filled, and only --full queues 20,000; the load on the upstream is measured as concurrent deliveries',
	async run(trial) {
		const count = trial.at(500, 5000, 20_000)
		let underWay = 0
		let most = 0
		const upstream = await trial.upstream({
			'/events': async (call, connection) => {
				most = Math.max(most, ++underWay)
				const reply = await repliesAfter(service)(call, connection)
				underWay--
				return reply
			},
			'/turns': repliesAfter(service),
		})
		const gateway = await trial.start({
			outbox: outboxOf(trial, { schedule: atOnceThenEach('1s'), concurrency }),
			// Turns and events have endpoints of their own, so that turns need no probe.
			routes: [
				notifying.route({ upstream: { url: `${upstream.url}/events` } }),
				own.route({ upstream: { url: `${upstream.url}/turns` } }),
			],
		})
		const take = turnsWith(trial, gateway)
		/** Turns one after the other, 20 ms apart. */
		const turnsUntil = async (done: (taken: number) => boolean): Promise<Turn[]> => {
			const turns: Turn[] = []
			while (!done(turns.length)) {
				turns.push(await take(own))
				await wait(20)
			}
			return turns
		}
		const idle = await turnsUntil((taken) => taken >= trial.at(50, 300, 500))

		await upstream.shut()
		const offered = await each(count, 64, () => take(notifying))
		const accepted = offered.filter(({ heard }) => heard === 'accepted').map(({ text }) => text)
		await upstream.open()
		let isOver = false
		const came = (without: number) => upstream.calls.slice(without).map(nonceOf)
		const delivering = delivered(accepted, came, 180_000).finally(() => {
			isOver = true
		})
		const during = await turnsUntil(() => isOver)
		const { lost, twice, seconds, broken } = await delivering

		const p99 = (turns: readonly Turn[]) =>
			percentile(
				turns.map(({ ms }) => ms),
				0.99,
			)
		return {
			reached: `${accepted.length} queued, ${lost} lost, ${twice} twice, delivered in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s), at most ${most} concurrently; p99 of turns ${p99(idle).toFixed(1)} ms before, ${p99(during).toFixed(1)} ms meanwhile (${heardOf(during)})`,
			broken: [
				...faultsOf(gateway),
				...unexpected(offered, ['accepted']),
				...unexpected([...idle, ...during], ['reply']),
				...broken,
				...unless(most <= concurrency, `${most} deliveries were under way at once`),
			],
			missed: over(
				p99(during) / p99(idle),
				2,
				(it) => `turns took ${it} times as long: upstream, callers and gateway share the cores`,
			),
		}
	},
}
