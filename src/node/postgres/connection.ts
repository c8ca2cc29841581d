/**
 * Connections to PostgreSQL, each with limits of time, so that a network that was cut is noticed on both sides. This module
 * loads the driver: import it only where a configuration asks for PostgreSQL.
 */
import { Socket } from 'node:net'
import { Client, type ClientBase, type ClientConfig, DatabaseError, Pool } from 'pg'
import type { PostgresSettings } from '../../config/index.ts'
import { withTimeout } from '../../timeout.ts'
import { DatabaseUnusable } from './database-unusable.ts'

export type { Client, ClientBase } from 'pg'

/** Milliseconds. */
export interface TimeLimits {
	/** Until a connection must be there. */
	readonly connect: number
	/** Until the server ends a statement. The client gives up a second later, which also ends a connection without a network. */
	readonly statement: number
}

const timeLimits: TimeLimits = { connect: 5000, statement: 8000 }

/** Milliseconds that the client waits for longer than the server. */
const grace = 1000

/** The oldest release of PostgreSQL that our tables and functions work with. */
const oldestRelease = 14

/** Milliseconds without traffic until the operating system asks whether the other side is still there. */
const quiet = 5000

function configOf({ url }: PostgresSettings, limits: TimeLimits): ClientConfig {
	return {
		connectionString: url,
		fallback_application_name: 'dragoman',
		keepAlive: true,
		keepAliveInitialDelayMillis: quiet,
		connectionTimeoutMillis: limits.connect,
		query_timeout: limits.statement + grace,
	}
}

/** Milliseconds for which a transaction may hold its locks while the client says nothing. */
function mostIdle({ statement }: TimeLimits): number {
	return Math.min(statement, timeLimits.statement)
}

/**
 * What every connection is told first. The server's own side of a cut connection must end too: until then it holds locks.
 * A commit is confirmed when it is on the server's disk, and on that of a synchronous standby if there is one.
 */
function sessionOf(limits: TimeLimits): string {
	return `
		SET statement_timeout = ${limits.statement};
		SET idle_in_transaction_session_timeout = ${mostIdle(limits)};
		SET tcp_keepalives_idle = ${quiet / 1000};
		SET tcp_keepalives_interval = 2;
		SET tcp_keepalives_count = 5;
		SET tcp_user_timeout = ${3 * quiet};
		SET default_transaction_isolation = 'read committed';
		SET client_min_messages = warning;
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')
	`
}

/** The sockets of the connections that `connect` opened. */
const sockets = new WeakMap<ClientBase, Socket>()

/** Opens one connection. Rejects with a DatabaseUnusable. To be closed with `disconnect`. */
export async function connect(settings: PostgresSettings, limits: TimeLimits = timeLimits): Promise<Client> {
	const socket = new Socket()
	try {
		const client = new Client({ ...configOf(settings, limits), stream: () => socket })
		sockets.set(client, socket)
		// Without a listener, an idle connection that breaks would end the process. Its next query is rejected.
		client.on('error', () => {})
		await client.connect()
		// An older server may not know the settings of the session either.
		await requireRelease(client)
		await client.query(sessionOf(limits))
		await requireUnicode(client)
		return client
	} catch (thrown) {
		socket.destroy()
		throw unusable(settings, thrown)
	}
}

/** Closes a connection, within a second: over a network that is silent the server does not answer a farewell. */
export async function disconnect(client: Client): Promise<void> {
	await withTimeout(grace, client.end()).finally(() => sockets.get(client)?.destroy())
}

/** Opens connections as they are needed, `max` at most. Its queries reject with errors of the driver. */
export function createPool(settings: PostgresSettings, max: number, limits: TimeLimits = timeLimits): Pool {
	const pool = new Pool({
		...configOf(settings, limits),
		max,
		allowExitOnIdle: true,
		onConnect: (client: ClientBase) => client.query(sessionOf(limits)),
	})
	pool.on('error', () => {})
	return pool
}

/** Throws a DatabaseUnusable if the server is of an older release than our tables and functions work with. */
async function requireRelease(client: ClientBase): Promise<void> {
	const release = Math.floor(Number(await setting(client, 'server_version_num')) / 10_000)
	if (release >= oldestRelease) return
	const advice = `Update it to ${oldestRelease} or newer.`
	throw new DatabaseUnusable('too-old', `The PostgreSQL server is too old, with version ${release}. ${advice}`)
}

/** Throws a DatabaseUnusable if the database cannot store every text: a batch with such a text would fail again and again. */
async function requireUnicode(client: ClientBase): Promise<void> {
	const encoding = await setting(client, 'server_encoding')
	if (encoding === 'UTF8') return
	throw new DatabaseUnusable('encoding', `The PostgreSQL database has the encoding ${encoding}. Create one with UTF8.`)
}

/** Throws a DatabaseUnusable if the server is read-only. */
export async function requireWritable(client: ClientBase): Promise<void> {
	if ((await setting(client, 'transaction_read_only')) !== 'on') return
	throw new DatabaseUnusable('read-only', 'The PostgreSQL server is read-only. Connect to the primary server.')
}

/** Throws a DatabaseUnusable if the server is read-only, or would lose what it has confirmed. */
export async function requireDurable(client: ClientBase): Promise<void> {
	await requireWritable(client)
	if ((await setting(client, 'fsync')) === 'off') {
		const why = 'it would lose confirmed events when its machine fails'
		throw new DatabaseUnusable('unsafe', `The PostgreSQL server runs with fsync = off: ${why}. Set it to on.`)
	}
}

/** What the server is: `postgresql 17.2`. */
export async function versionOf(client: ClientBase): Promise<string> {
	// Some builds append a name to the number.
	const [number] = (await setting(client, 'server_version')).split(' ')
	return `postgresql ${number}`
}

async function setting(client: ClientBase, name: string): Promise<string> {
	const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [name])
	return rows[0]?.value ?? ''
}

/** A failure in words for operators, with no value of a query and no secret. */
export function describeFailure(thrown: unknown): string {
	const state = thrown instanceof DatabaseError ? thrown.code : undefined
	const words = thrown instanceof Error ? thrown.message : String(thrown)
	return state === undefined ? words : `${words} (SQLSTATE ${state})`
}

/** Where a database is, without user and password. */
export function placeOf({ url }: PostgresSettings): string {
	const { host, pathname, searchParams } = new URL(url)
	return `${host || searchParams.get('host') || 'localhost'}${pathname}`
}

/** What a server refused, such as a table without the right to it, as a DatabaseUnusable; other errors as they are. */
export function refused(settings: PostgresSettings, thrown: unknown): unknown {
	if (!(thrown instanceof DatabaseError)) return thrown
	const message = `The PostgreSQL database ${placeOf(settings)} cannot be used: ${describeFailure(thrown)}.`
	return new DatabaseUnusable('refused', message, { cause: thrown })
}

/** Whatever was thrown while a connection was opened, as a DatabaseUnusable. */
function unusable(settings: PostgresSettings, thrown: unknown): DatabaseUnusable {
	if (thrown instanceof DatabaseUnusable) return thrown
	const message = `The PostgreSQL database ${placeOf(settings)} cannot be reached: ${describeFailure(thrown)}.`
	return new DatabaseUnusable('unreachable', message, { cause: thrown })
}
