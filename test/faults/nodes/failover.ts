/** The server of a shared outbox fails, and its standby takes over. */
import { setTimeout as wait } from 'node:timers/promises'
import { startNetwork } from '../../harness/network.ts'
import { changeSetting, type PostgresServer, startStandby } from '../../harness/postgres.ts'
import { until } from '../../until.ts'
import { databaseRow, endure, storedOrRejected } from '../database-trouble.ts'
import type { Trial } from '../row.ts'

/** Milliseconds that the log of the primary takes to the standby: what is confirmed without it would be lost. */
const distance = 50

/** A standby without which the primary confirms nothing. */
async function synchronousStandby(trial: Trial, primary: PostgresServer): Promise<PostgresServer> {
	const line = await startNetwork(trial, primary.port)
	const standby = await startStandby(trial, line.port)
	line.slowDown(distance)
	await changeSetting(primary, `synchronous_standby_names = '*'`)
	const replicas = () => primary.query(`SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`)
	if (!(await until(async () => (await replicas()).length === 1))) throw new Error('the standby does not follow')
	return standby
}

/** How a primary ends to be one. One that is only read-only keeps its connections. */
const ends: readonly ((primary: PostgresServer) => Promise<void>)[] = [
	(primary) => primary.stop('kill'),
	(primary) => primary.stop('fast'),
	(primary) => changeSetting(primary, 'default_transaction_read_only = on'),
]

export const failover = databaseRow(
	{
		id: 'E6',
		fault:
			'The primary is killed, stopped or made read-only; the address leads to its synchronous standby, which is read-only until it is promoted',
		demand: storedOrRejected,
	},
	async (trial, server, url) => {
		const address = await startNetwork(trial, server.port)
		const shared = new URL(url)
		shared.port = String(address.port)
		let [primary, times] = [server, 0]
		// Without load a copy is made faster.
		let standby: PostgresServer | undefined = await synchronousStandby(trial, primary)
		return await endure(trial, {
			...{ name: 'failed over', url: shared.href, times: trial.at(1, 3, 9), lasts: trial.at(1500, 3000, 10_000) },
			async begin() {
				const next = standby ?? (await synchronousStandby(trial, primary))
				standby = undefined
				await wait(500)
				await ends[times++ % ends.length]?.(primary)
				address.leadTo(next.port)
				primary = next
			},
			end: () => primary.query('SELECT pg_promote()'),
			...{ causes: [/read-only/], stops: true },
		})
	},
)
