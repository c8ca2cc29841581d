/** Opens the store that a configuration names, and loads no other. */
import type { StateSettings } from '../../config/index.ts'
import type { StateStore, StoreEvents } from './state-store.ts'

/** Opens the store. Its server need not be there. */
export async function openStore(settings: StateSettings, events: StoreEvents): Promise<StateStore> {
	if (settings.store === 'valkey') {
		const { openValkeyStore } = await import('./valkey-store.ts')
		return openValkeyStore(settings.url, settings.timeout, events)
	}
	const { openPostgresStore } = await import('./postgres-store.ts')
	return openPostgresStore(settings, settings.timeout, events)
}
