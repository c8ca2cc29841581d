/** The network between Nodes and their database is slow or cut. */
import { setTimeout as wait } from 'node:timers/promises'
import { percentile } from '../../harness/load.ts'
import { type Network, startNetwork } from '../../harness/network.ts'
import type { PostgresServer } from '../../harness/postgres.ts'
import { databaseRow, endure, storedOrRejected } from '../database-trouble.ts'
import { over, type Trial, unless } from '../row.ts'
import { arrived, startNodes, type Timed, takeTurns, tellEvents } from '../shared-outbox.ts'
import { unexpected } from '../turns.ts'

/** Milliseconds. */
function p99Of(turns: readonly Timed[]): number {
	return percentile(
		turns.map(({ ms }) => ms),
		0.99,
	)
}

/** The database behind a network that can be treated badly. */
async function behindNetwork(trial: Trial, server: PostgresServer, url: string): Promise<[Network, string]> {
	const network = await startNetwork(trial, server.port)
	const far = new URL(url)
	far.port = String(network.port)
	return [network, far.href]
}

export const networkCut = databaseRow(
	{
		id: 'E7',
		fault: 'The network between the Nodes and the database is cut: nothing arrives, and nobody is told',
		demand: storedOrRejected,
	},
	async (trial, server, url) => {
		const [network, far] = await behindNetwork(trial, server, url)
		return await endure(trial, {
			...{ name: 'cut', url: far, times: trial.at(1, 3, 10), lasts: trial.at(6000, 10_000, 30_000) },
			...{ begin: network.cut, end: network.restore, causes: [/timeout|cannot be reached/i], stops: true },
		})
	},
)

export const farDatabase = databaseRow(
	{
		id: 'E5',
		fault: 'The database is 100 ms away, each way',
		demand:
			'every event acknowledged, p99 ≤ 1 s; 0 lost, order kept; turns keep their replies, and are not slower than the events',
	},
	async (trial, server, url) => {
		const [network, far] = await behindNetwork(trial, server, url)
		network.slowDown(100)
		const cluster = await startNodes(trial, far)
		const [events, turns] = [tellEvents(trial, cluster), takeTurns(trial, cluster)]
		await wait(trial.at(3000, 20_000, 60_000))
		await Promise.all([events.stop(), turns.stop()])
		const { reached, broken } = await arrived(cluster, events.said)
		const [told, taken] = [events.said.flat(), turns.said.flat()]
		const [p99, quickest] = [p99Of(told), Math.min(...told.map(({ ms }) => ms))]
		return {
			reached: `${reached}; acknowledged after ${quickest.toFixed(0)} ms at least, p99 ${p99.toFixed(0)} ms; ${taken.length} turns, p99 ${p99Of(taken).toFixed(0)} ms`,
			broken: [
				...broken,
				...unexpected(told, ['accepted']),
				...unexpected(taken, ['reply']),
				...unless(quickest >= 200, 'the database was not far away'),
			],
			missed: over(p99, 1000, (figure) => `acknowledged within ${figure} ms (p99)`),
		}
	},
)
