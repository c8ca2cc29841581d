/** Finds the store that a configuration names. */
import type { StateSettings } from '../../config/index.ts'
import type { StateStore, StoreEvents } from './state-store.ts'
import { openValkeyStore } from './valkey-store.ts'

/** Opens the store. Its server need not be there. */
export function openStore({ url, timeout }: StateSettings, events: StoreEvents): StateStore {
	return openValkeyStore(url, timeout, events)
}
