/** An upstream that is too slow, and whose late answers are nobody's. */
import { setTimeout as wait } from 'node:timers/promises'
import { repliesAfter } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over, slowestTurn } from '../health.ts'
import { oneOf, randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { answered, callerOf, countMixedUp, each, nonces, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

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
		'1,000 at once: 100 % answered by 9.0 s, 0 later than 9.5 s; a late answer is dropped, 0 of 10,000 attached to another turn',
	waits: 'busily',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const upstream = await faultUpstream(trial, {
			...Object.fromEntries(delays.map(([ms]) => [`after-${ms}`, { act: repliesAfter(ms) }])),
			hasty: { act: (line, call) => repliesAfter(random() < 0.9 ? 0 : 2 * hasty * random())(line, call) },
		})
		const routes = answered.flatMap((speaker) => [
			...delays.map(([ms]) =>
				speaker.route(`${speaker.name}-${ms}`, { upstream: { url: upstream.at(`after-${ms}`) } }),
			),
			speaker.route(`${speaker.name}-hasty`, { upstream: { url: upstream.at('hasty'), timeout: hasty } }),
		])
		const gateway = await startGateway(trial, { routes })
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)

		const count = trial.at(100, 1000, 1000)
		const turns = await each(count, count, async (n) => {
			// Nobody calls a thousand times in one instant.
			await wait(random() * 3 * count)
			const speaker = oneOf(answered, random)
			const [ms, hears] = delays[n % delays.length] ?? [0, []]
			return { ...(await caller.take(speaker, `${speaker.name}-${ms}`, speaker.event(nonce()))), hears }
		})
		const quick = await each(trial.at(500, 5000, 10_000), 50, () => {
			const speaker = oneOf(answered, random)
			return caller.take(speaker, `${speaker.name}-hasty`, speaker.event(nonce()))
		})

		const heard = turns.map((turn) => turn.heard)
		const hastily = quick.map((turn) => turn.heard)
		const slowest = Math.max(...turns.map(({ ms }) => ms)) / 1000
		const broken = [
			...faultsOf(gateway),
			...unexpected(hastily, ['reply', 'upstream-timeout', 'upstream-circuit-open']),
		]
		for (const { hears, heard } of turns) if (!hears.includes(heard)) broken.push(`heard ${heard}`)
		if (slowest > 20) broken.push(`an answer came after ${slowest.toFixed(2)} s`)
		if (!hastily.includes('upstream-timeout')) broken.push('no answer was late')
		return {
			reached: `${tally(heard)}, slowest ${slowest.toFixed(2)} s (${slowestTurn(gateway).toFixed(2)} s in the gateway); of ${quick.length} in haste ${tally(hastily)}, ${countMixedUp([...heard, ...hastily])} of another turn`,
			broken: broken.slice(0, 10),
			missed: over(slowest, 9.05, (it) => `${it} s: the machine was busy`),
		}
	},
}
