/** An upstream that sends byte by byte: no pause is ever long, and the answer never ends. */
import { answered } from '../../harness/platforms.ts'
import { drips, replies } from '../behaviours.ts'
import { faultsOf, watchMemory } from '../health.ts'
import { over, type Row, unless } from '../row.ts'
import { each, heardOf, nth, slowest, turnsWith, unexpected } from '../turns.ts'
export const drip: Row = {
	id: 'A4',
	fault: 'The upstream sends one byte every 200 ms',
	demand: '200 concurrent calls: 100 % typed by 9.0 s, 0 later than 9.5 s, at most 256 kB of memory each',
	waits: 'idly',
	async run(trial) {
		const count = trial.at(100, 200, 1000)
		let dripping = false
		const upstream = await trial.upstream((...to) => (dripping ? drips(...to) : replies(...to)))
		const gateway = await trial.start({
			upstream: { url: upstream.url },
			routes: answered.map((platform) => platform.route()),
		})
		const take = turnsWith(trial, gateway)
		// What as many quick turns at once need is not what dripping costs.
		await each(4 * count, count, (n) => take(nth(answered, n)))
		dripping = true
		const grown = watchMemory(gateway)
		const turns = await each(count, count, (n) => take(nth(answered, n)))
		const kilobytes = (grown() * 1024) / count
		const seconds = slowest(turns) / 1000
		return {
			reached: `${heardOf(turns)}, slowest ${seconds.toFixed(2)} s, ${kilobytes.toFixed(0)} kB each`,
			broken: [
				...faultsOf(gateway),
				...unexpected(turns, ['upstream-timeout']),
				...unless(seconds <= 20, `an answer came after ${seconds.toFixed(2)} s`),
			],
			missed: [
				...over(seconds, 9.05, (it) => `${it} s: the machine was busy`),
				...over(kilobytes, 256, (it) => `${it} kB each, counting everything by which the process grew`),
			],
		}
	},
}
