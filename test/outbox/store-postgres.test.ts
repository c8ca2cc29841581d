/** PostgreSQL keeps what every store of the outbox promises. */
import { describe } from 'vitest'
import { has } from '../tools.ts'
import { freshSettings, inDatabase, opened, pass, serverOfFile, settingsIn } from './postgres-rig.ts'
import { storeSuite } from './store-suite.ts'

describe.skipIf(!has('postgres'))('on a server', () => {
	const server = serverOfFile()
	storeSuite({
		name: 'PostgreSQL',
		settingsOf: (given) => freshSettings(server(), given),
		changed: (settings, given) => settingsIn(inDatabase(settings).postgres.url, given),
		async storeOf(given, from = 0) {
			const settings = inDatabase(given)
			const store = await opened(settings)
			let last = from
			return {
				async commit(batch) {
					if (batch.now > last) await pass(server(), settings, batch.now - last)
					last = Math.max(last, batch.now)
					return await store.commit(batch)
				},
				close: () => store.close(),
			}
		},
		async spoil(settings, id) {
			const changed = 'set_byte(payload, 6, get_byte(payload, 6) # 1)'
			await server().query(
				`UPDATE dragoman.events SET payload = ${changed} WHERE id = '${id}'`,
				inDatabase(settings).postgres.url,
			)
		},
	})
})
