/** Tries whether the store of the shared state can be used. Writes nothing. */
import type { StateSettings } from '../../config/index.ts'
import { timedOut, withTimeout } from '../../timeout.ts'
import type { DatabaseUnusableReason } from '../postgres/database-unusable.ts'
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
	/** The version of the tables in PostgreSQL, and the one that this program was made for. Absent: there is no connection. */
	readonly tables?: { readonly version: number; readonly programVersion: number }
	/** Why it cannot be used, in words. Absent: it can. */
	readonly error?: string
	/** The same of PostgreSQL, in a word. */
	readonly reason?: DatabaseUnusableReason
}

/** Milliseconds. */
const patience = 5000

/** Connects once. */
export async function reachState(settings: StateSettings): Promise<ReachedState> {
	return settings.store === 'postgres' ? await reachPostgres(settings) : await reachValkey(settings)
}

/** Loads the driver only when it is wanted. */
async function reachPostgres(settings: Extract<StateSettings, { store: 'postgres' }>): Promise<ReachedState> {
	const [{ reachDatabase }, { requireWritable }, { stateRights }] = await Promise.all([
		import('../postgres/reach-database.ts'),
		import('../postgres/connection.ts'),
		import('../postgres/rights.ts'),
	])
	const { place, version, programVersion, ...found } = await reachDatabase(settings, requireWritable, stateRights)
	const tables = version !== undefined && { tables: { version, programVersion } }
	return { store: settings.store, at: place, ...found, ...tables }
}

async function reachValkey(settings: Extract<StateSettings, { store: 'valkey' }>): Promise<ReachedState> {
	const { store, url } = settings
	const { host, pathname } = new URL(url)
	const named = { store, at: `${host}${pathname === '/' ? '' : pathname}` }
	const startedAt = performance.now()
	const opened = await openStore(settings, { wake() {}, forgot() {} })
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
