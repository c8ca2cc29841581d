/** Tries whether the store of the shared state can be used. Writes nothing. */
import type { StateSettings } from '../../config/index.ts'
import { timedOut, withTimeout } from '../../timeout.ts'
import { openStore } from './open-store.ts'

/** Whether a store can be used. */
export interface ReachedState {
	readonly store: StateSettings['store']
	/** Host, port and database, without user and password. */
	readonly at: string
	/** What the server says it is, such as `valkey 8.1.1`. */
	readonly server?: string
	/** How long connecting took. */
	readonly ms?: number
	/** Why it cannot be used, in words. Absent: it can. */
	readonly error?: string
}

/** Where the server is, without user and password: a host, with a port or a database. */
function placeOf({ url }: StateSettings): string {
	const { host, pathname, searchParams } = new URL(url)
	return `${host || searchParams.get('host') || 'localhost'}${pathname === '/' ? '' : pathname}`
}

/** Milliseconds. */
const patience = 5000

/** Connects once. */
export async function reachState(settings: StateSettings): Promise<ReachedState> {
	const { store } = settings
	const named = { store, at: placeOf(settings) }
	const startedAt = performance.now()
	const unchanged = settings.store === 'postgres' ? { ...settings, migrate: false } : settings
	const opened = await openStore(unchanged, { wake() {} })
	try {
		const server = await withTimeout(patience, opened.identify())
		if (server === timedOut) return { ...named, error: 'timeout' }
		return { ...named, server, ms: Math.round(performance.now() - startedAt) }
	} catch (thrown) {
		return { ...named, error: thrown instanceof Error ? thrown.message : String(thrown) }
	} finally {
		await opened.close()
	}
}
