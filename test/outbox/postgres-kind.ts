/** The outbox in PostgreSQL, as the suites of all stores use it. */
import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import type { OutboxSettings } from '../../src/config/index.ts'
import type { PostgresServer } from '../harness/postgres.ts'
import { freshSettings, inDatabase, opened, pass, settingsIn } from './postgres-rig.ts'
import type { StoreKind } from './store-suite.ts'

/** Makes the tables as a migration leaves them: faster than another database. */
const empty = `
	TRUNCATE dragoman.events, dragoman.meta;
	DELETE FROM dragoman.nodes WHERE id <> 0;
	UPDATE dragoman.nodes SET bytes = 0, ended_bytes = 0;
`

/** The outbox in a database of this server, one test after the other. */
export function postgresKind(server: () => PostgresServer): StoreKind {
	let database: Promise<string> | undefined
	return {
		name: 'PostgreSQL',
		async settingsOf(given) {
			database ??= freshSettings(server()).then(({ postgres }) => postgres.url)
			const url = await database
			await server().query(empty, url)
			return settingsIn(url, given)
		},
		changed: (settings, given) => settingsIn(inDatabase(settings).postgres.url, given),
		async storeOf(given, from = 0) {
			const settings = inDatabase(given)
			const store = await opened(settings)
			const client = new Client({ connectionString: settings.postgres.url })
			client.on('error', () => {})
			await client.connect()
			const end = () => client.end()
			onTestFinished(end)
			let last = from
			let lastAt = performance.now()
			/** Milliseconds by which the database is ahead, because its own time passes as well. */
			let ahead = 0
			return {
				routes: store.routes,
				async commit(batch) {
					const at = performance.now()
					ahead += at - lastAt - Math.max(0, batch.now - last)
					lastAt = at
					last = Math.max(last, batch.now)
					if (ahead < 0) {
						await pass(client, -ahead)
						ahead = 0
					}
					return await store.commit(batch)
				},
				async close() {
					await store.close()
					await end()
				},
			}
		},
		spoil: (settings, id) => change(settings, id, 'payload = set_byte(payload, 6, get_byte(payload, 6) # 1)'),
		addInterruptions: (settings, id, count) => change(settings, id, `lapses = lapses + ${count}`),
	}

	async function change(settings: OutboxSettings, id: string, columns: string): Promise<void> {
		await server().query(`UPDATE dragoman.events SET ${columns} WHERE id = '${id}'`, inDatabase(settings).postgres.url)
	}
}
