/** An upstream that drips: no silence is ever long, and the answer never ends. */
import { drips, repliesAfter } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, over, watchMemory } from '../health.ts'
import type { Row } from '../row.ts'
import { answered, callerOf, each, nonces, tally, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

export const drip: Row = {
	id: 'A4',
	fault: 'The upstream drips a byte each 200 ms',
	demand: '200 at once: 100 % typed by 9.0 s, 0 later than 9.5 s, at most 256 kB of memory each',
	waits: 'idly',
	async run(trial) {
		const count = trial.at(100, 200, 1000)
		let dripping = false
		const upstream = await faultUpstream(trial, {
			drips: { act: (line, call) => (dripping ? drips(line, call) : repliesAfter(0)(line, call)) },
		})
		const gateway = await startGateway(trial, {
			upstream: { url: upstream.at('drips') },
			routes: answered.map((speaker) => speaker.route(speaker.name)),
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const take = (n: number) => {
			const speaker = answered[n % answered.length] ?? answered[0]
			if (!speaker) throw new Error('there are platforms')
			return caller.take(speaker, speaker.name, speaker.event(nonce()))
		}
		// What as many quick turns at once need is not what dripping costs.
		await each(4 * count, count, take)
		dripping = true
		const grown = watchMemory(gateway)
		const turns = await each(count, count, take)
		const kilobytes = (grown() * 1024) / count
		const slowest = Math.max(...turns.map(({ ms }) => ms)) / 1000
		const heard = turns.map((turn) => turn.heard)
		const broken = [...faultsOf(gateway), ...unexpected(heard, ['upstream-timeout'])]
		if (slowest > 20) broken.push(`an answer came after ${slowest.toFixed(2)} s`)
		return {
			reached: `${tally(heard)}, slowest ${slowest.toFixed(2)} s, ${kilobytes.toFixed(0)} kB each at most`,
			broken,
			missed: [
				...over(slowest, 9.05, (it) => `${it} s: the machine was busy`),
				...over(kilobytes, 256, (it) => `${it} kB each: all that the process grew by is counted`),
			],
		}
	},
}
