/** The database of a shared outbox is ended, full or has no connection to spare, while events come. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import { changeSetting, putTablesOn, startPostgres } from '../../harness/postgres.ts'
import { empty, fill, smallDisk } from '../../harness/small-disk.ts'
import { has } from '../../tools.ts'
import { databaseRow, endure, storedOrRejected } from '../database-trouble.ts'
import { type Row, untried } from '../row.ts'
import { preparedDatabase } from '../shared-outbox.ts'

export const databaseRestarts = databaseRow(
	{
		id: 'E2',
		fault: 'The database is restarted under load, in order and by SIGKILL of all its processes',
		demand: `10 restarts of each kind: ${storedOrRejected}`,
	},
	async (trial, server, url) => {
		let killed = 0
		return await endure(trial, {
			...{ name: 'restarted', url, times: trial.at(2, 8, 20), lasts: trial.at(500, 1000, 3000) },
			...{ begin: () => server.stop(killed++ % 2 === 0 ? 'kill' : 'fast'), end: () => server.start() },
			...{ causes: [/cannot be reached|SQLSTATE 57P/], stops: true },
		})
	},
)

export const connectionsUsedUp = databaseRow(
	{
		id: 'E3',
		fault: 'The database has no connection to spare, and has ended those of the Nodes',
		demand: storedOrRejected,
	},
	async (trial, _, url) => {
		let others: Client[] = []
		let going = false
		/** Whether there was a connection left. */
		const takeOne = async (): Promise<boolean> => {
			const client = new Client({ connectionString: url })
			client.on('error', () => {})
			const taken = await client.connect().then(
				() => true,
				() => false,
			)
			if (taken) others.push(client)
			return taken
		}
		const evict = () =>
			others[0]?.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dragoman'`)
		/** A Node that was faster is put out again. */
		const hold = async (): Promise<void> => {
			while (going) {
				while (await takeOne());
				await evict()
				await takeOne()
				await wait(50)
			}
		}
		let holding = Promise.resolve()
		return await endure(trial, {
			...{ name: 'without connections', url, times: trial.at(1, 4, 10), lasts: trial.at(2500, 4000, 10_000) },
			begin() {
				going = true
				holding = hold()
			},
			async end() {
				going = false
				await holding
				const all = others
				others = []
				await Promise.all(all.map((client) => client.end()))
			},
			...{ causes: [/too many clients|reserved for/], stops: false },
		})
	},
)

export const databaseFull: Row = {
	id: 'E4',
	fault:
		'The disk of the tables is full, with other data; then that of the write-ahead log, and the server ends itself',
	demand: storedOrRejected,
	waits: 'busily',
	async run(trial) {
		if (!has('postgres')) return untried('postgres', 'PostgreSQL is not there')
		const [ofTables, ofLog] = [smallDisk(trial, 40), smallDisk(trial, 32)]
		if (ofTables === undefined || ofLog === undefined)
			return untried('root', 'a small disk can be mounted by root only')
		const server = await startPostgres(trial, ['--waldir', join(ofLog, 'log'), '--wal-segsize', '1'])
		await putTablesOn(ofTables, server)
		await changeSetting(server, `max_wal_size = '8MB'`)
		let [times, disk] = [0, ofTables]
		return await endure(trial, {
			...{ name: 'full', url: await preparedDatabase(server), padding: 20_000, stops: false },
			...{ times: trial.at(2, 8, 20), lasts: trial.at(1500, 3000, 10_000) },
			begin() {
				disk = times++ % 2 === 0 ? ofTables : ofLog
				fill(disk)
			},
			async end() {
				empty(disk)
				if (disk === ofTables) return
				// It has ended itself, or tries in vain to recover.
				await server.stop('kill')
				await server.start()
			},
			causes: [/could not extend file .+53100/, /pg_wal|ECONNREFUSED|57P03/],
		})
	},
}
