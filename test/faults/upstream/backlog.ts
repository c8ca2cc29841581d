/** An upstream that is back after an outage, with everything that was accepted meanwhile waiting for it. */

import { setTimeout as wait } from 'node:timers/promises'
import { percentile } from '../../harness/load.ts'
import { notifying, own } from '../../harness/platforms.ts'
import { atOnceThenEach, delivered, outboxOf } from '../accepting.ts'
import { repliesAfter } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, heardOf, nonceOf, type Turn, turnsWith, unexpected } from '../turns.ts'

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
		const delivering = delivered(accepted, () => upstream.calls.map(nonceOf), 180_000).finally(() => {
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
