/** An upstream that is back after an outage, with everything that was accepted meanwhile waiting for it. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { repliesAfter } from '../behaviours.ts'
import { folder, startGateway } from '../gateway.ts'
import { faultsOf, over } from '../health.ts'
import { percentile } from '../load.ts'
import type { Row } from '../row.ts'
import { type Caller, callerOf, each, nonces, speaker, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

/** Deliveries under way at once. */
const concurrency = 16
/** Milliseconds that the upstream takes. */
const service = 5
/** Milliseconds until everything has to be delivered. */
const patience = 180_000

export const backlog: Row = {
	id: 'A15',
	fault: 'The upstream is back after an outage, and what was accepted meanwhile waits for it',
	demand:
		'20,000 queued: 0 lost; never more at once than configured; turns meanwhile keep a p99 of at most twice the idle one',
	except:
		'in the small: the outage lasts as long as the filling, and 20,000 are queued before a release, fewer by hand; what the upstream bears is told by how many are under way at once',
	async run(trial) {
		const count = trial.at(500, 5000, 20_000)
		let underWay = 0
		let most = 0
		const upstream = await faultUpstream(trial, {
			events: {
				async act(line, call) {
					most = Math.max(most, ++underWay)
					await repliesAfter(service)(line, call)
					underWay--
				},
			},
			turns: { act: repliesAfter(service) },
		})
		const [events, turns] = [speaker('snatchbot-webhook'), speaker('canonical')]
		const schedule = ['0s', ...Array(100).fill('1s')]
		const gateway = await startGateway(trial, {
			outbox: { file: join(folder(trial), 'outbox.db'), schedule, concurrency },
			routes: [
				events.route('events', { upstream: { url: upstream.at('events') } }),
				turns.route('turns', { upstream: { url: upstream.at('turns') } }),
			],
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const idle = await turnsUntil(caller, nonce, (taken) => taken >= trial.at(50, 300, 500))

		await upstream.shut()
		const accepted: string[] = []
		const filled = await each(count, 64, async () => {
			const text = nonce()
			const { heard } = await caller.take(events, 'events', events.event(text))
			if (heard === 'accepted') accepted.push(text)
			return heard
		})
		await upstream.open()
		const from = performance.now()
		const missing = () => accepted.filter((text) => !upstream.seen.has(text)).length
		// Turns and events have targets of their own, so that turns need no probe.
		let left = accepted.length
		const watch = (async () => {
			while (left > 0 && performance.now() - from < patience) {
				await wait(100)
				left = missing()
			}
		})()
		const during = await turnsUntil(caller, nonce, () => left === 0 || performance.now() - from > patience)
		await watch
		const seconds = (performance.now() - from) / 1000
		const twice = accepted.filter((text) => (upstream.seen.get(text) ?? 0) > 1).length

		const times = { idle: percentile(idle.times, 0.99), during: percentile(during.times, 0.99) }
		const broken = [...faultsOf(gateway), ...unexpected(filled, ['accepted'])]
		broken.push(...unexpected([...idle.heard, ...during.heard], ['reply']))
		if (left > 0) broken.push(`${left} accepted events were lost`)
		if (twice > 0) broken.push(`${twice} events were delivered twice`)
		if (most > concurrency) broken.push(`${most} deliveries were under way at once`)
		return {
			reached: `${accepted.length} queued, ${left} lost, ${twice} twice, delivered in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s), at most ${most} at once; p99 of turns ${times.idle.toFixed(1)} ms before, ${times.during.toFixed(1)} ms meanwhile (${tally(during.heard)})`,
			broken,
			missed: over(
				times.during / times.idle,
				2,
				(it) => `turns took ${it} times as long: upstream, callers and gateway share the cores`,
			),
		}
	},
}

/** Turns one after the other, 20 ms apart. */
async function turnsUntil(caller: Caller, nonce: () => string, done: (taken: number) => boolean) {
	const own = speaker('canonical')
	const times: number[] = []
	const heard: string[] = []
	while (!done(times.length)) {
		const took = await caller.take(own, 'turns', own.event(nonce()))
		times.push(took.ms)
		heard.push(took.heard)
		await wait(20)
	}
	return { times, heard }
}
