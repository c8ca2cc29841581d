/** The outbox in a file, as the suites of all stores use it. */
import { DatabaseSync } from 'node:sqlite'
import type { FileOutboxSettings, OutboxSettings } from '../../src/config/index.ts'
import { settingsOf, storeOf } from './parts.ts'
import type { StoreKind } from './store-suite.ts'

function inFile(settings: OutboxSettings): FileOutboxSettings {
	if ('file' in settings) return settings
	throw new Error('it is in a file')
}

export const fileKind: StoreKind = {
	name: 'a file',
	settingsOf: async (given) => settingsOf(given),
	changed: (settings, given) => settingsOf(given, inFile(settings).file),
	async storeOf(settings, now) {
		const store = storeOf(inFile(settings), now)
		return { routes: store.routes, commit: async (batch) => store.commit(batch), close: async () => store.close() }
	},
	async spoil(settings, id) {
		const db = new DatabaseSync(inFile(settings).file)
		const { payload } = db.prepare('SELECT payload FROM events WHERE id = ?').get(id) ?? {}
		if (!(payload instanceof Uint8Array)) throw new Error('it is bytes')
		payload[6] = (payload[6] ?? 0) ^ 1
		db.prepare('UPDATE events SET payload = ? WHERE id = ?').run(payload, id)
		db.close()
	},
	async addInterruptions(settings, id, count) {
		const db = new DatabaseSync(inFile(settings).file)
		db.prepare('UPDATE events SET lapses = lapses + ? WHERE id = ?').run(count, id)
		db.close()
	},
}
