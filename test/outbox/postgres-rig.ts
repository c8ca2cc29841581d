/** An outbox in PostgreSQL, on a server of a test file, in time that is told to pass. */
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { type OutboxSettings, type PostgresOutboxSettings, readOutbox } from '../../src/config/index.ts'
import { openPostgresStore } from '../../src/node/outbox/postgres/store.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import { migrate } from '../../src/node/postgres/migrations.ts'
import { type PostgresServer, startPostgres } from '../harness/postgres.ts'
import { keyOne, keyTwo } from './rig.ts'

/** A server for the tests of a file, which starts before the first of them. */
export function serverOfFile(): () => PostgresServer {
	let server: PostgresServer | undefined
	const ends: (() => unknown)[] = []
	beforeAll(async () => {
		server = await startPostgres({ after: (end) => void ends.push(end) })
	}, 60_000)
	afterAll(async () => {
		for (const end of ends) await end()
	}, 60_000)
	return () => {
		if (!server) throw new Error('the server has been started')
		return server
	}
}

/** What a configuration makes of these settings, in this database. */
export function settingsIn(url: string, given: object): PostgresOutboxSettings {
	const env = { ONE: keyOne, TWO: keyTwo, DATABASE_URL: url }
	const settings = readOutbox({ outbox: { postgres: { env: 'DATABASE_URL' }, ...given } }, env)
	if (!settings || !('postgres' in settings)) throw new Error('it is in a database')
	return settings
}

/** Settings of an outbox in a new database, with its tables. */
export async function freshSettings(server: PostgresServer, given: object = {}): Promise<PostgresOutboxSettings> {
	const settings = settingsIn(await server.database(), given)
	await migrate(settings.postgres)
	return settings
}

/** Opens the outbox, and closes it with the test. */
export async function opened(settings: PostgresOutboxSettings): Promise<RemoteStore> {
	const store = await openPostgresStore(settings)
	onTestFinished(() => store.close())
	return store
}

export function inDatabase(settings: OutboxSettings): PostgresOutboxSettings {
	if ('postgres' in settings) return settings
	throw new Error('it is in a database')
}

/** Lets time pass in the database: all stored moments are longer ago. */
export async function pass(database: { query(sql: string): Promise<unknown> }, ms: number): Promise<void> {
	const columns = ['accepted_at', 'next_at', 'ended_at'].map((each) => `${each} = ${each} - ${ms} * interval '1 ms'`)
	await database.query(`UPDATE dragoman.events SET ${columns.join()}`)
}
