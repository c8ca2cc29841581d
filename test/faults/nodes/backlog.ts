/** Many events wait, and are drained while turns are taken. */
import { setTimeout as wait } from 'node:timers/promises'
import { percentile } from '../../harness/load.ts'
import { conversing } from '../../harness/platforms.ts'
import { startPostgres } from '../../harness/postgres.ts'
import { has } from '../../tools.ts'
import { atOnceThenEach, delivered } from '../accepting.ts'
import { over, type Row, unless, untried } from '../row.ts'
import { concurrency, preparedDatabase, startNodes, takeTurns } from '../shared-outbox.ts'
import { each, nth, turnsWith, unexpected } from '../turns.ts'

export const backlog: Row = {
	id: 'E15',
	fault: 'A backlog of accepted events on two Nodes, and the backend is back',
	demand:
		'100,000 events: 0 lost, 0 twice, never more concurrent deliveries than configured (16 per Node); turns keep their replies, p99 at most twice that with the backlog waiting',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		let up = false
		const cluster = await startNodes(trial, await preparedDatabase(await startPostgres(trial)), {
			outbox: { schedule: atOnceThenEach('1s', 5000) },
			status: () => (up ? 200 : 503),
		})
		const takes = cluster.nodes.map((node) => turnsWith(trial, node))
		const count = trial.at(2000, 20_000, 100_000)
		const said = await each(count, 128, (n) => nth(takes, n)(conversing, undefined, { conversation: `c${n % 2000}` }))
		const turns = takeTurns(trial, cluster, 8)
		await wait(trial.at(2000, 10_000, 30_000))
		const since = performance.now()
		up = true
		const texts = said.map(({ text }) => text)
		const { lost, twice, seconds, broken } = await delivered(
			texts,
			(without) => cluster.taken.slice(without).map(({ nonce }) => nonce),
			600_000,
		)
		await turns.stop()
		const taken = turns.said.flat()
		const p99 = (of: typeof taken) =>
			percentile(
				of.map(({ ms }) => ms),
				0.99,
			)
		const before = p99(taken.filter(({ from }) => from < since))
		const during = p99(taken.filter(({ from }) => from >= since))
		const bound = concurrency * cluster.nodes.length
		return {
			reached: `${count} waiting, ${lost} lost, ${twice} twice, delivered in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(0)}/s), at most ${cluster.mostAtOnce()} concurrently; p99 of ${taken.length} turns ${during.toFixed(1)} ms, ${before.toFixed(1)} ms before`,
			broken: [
				...broken,
				...unexpected(said, ['accepted']),
				...unexpected(taken, ['reply']),
				...unless(
					cluster.mostAtOnce() <= bound,
					`${cluster.mostAtOnce()} deliveries at once, and ${bound} are allowed`,
				),
				...cluster.faults(),
			],
			missed: over(during / before, 2, (figure) => `p99 of turns was ${figure} times that before`),
		}
	},
}
