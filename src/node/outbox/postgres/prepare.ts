/** Brings the outbox in PostgreSQL in line with the settings, when a process opens it. */
import { randomBytes } from 'node:crypto'
import type { PostgresOutboxSettings } from '../../../config/index.ts'
import { longestWait } from '../../../delivery/index.ts'
import { type ClientBase, connect, disconnect, refused } from '../../postgres/connection.ts'
import { lockClass, stripes } from '../../postgres/migrations/outbox-functions.ts'
import type { Encryption } from '../encryption.ts'
import { missingKey } from '../outbox-error.ts'

/** What a process needs to know of the outbox. */
export interface Prepared {
	/** The routes that have waiting events. */
	readonly routes: readonly string[]
	/** Conversations are hashed with it. */
	readonly salt: string
	/** Bytes of all events. */
	readonly used: number
}

/** Milliseconds that a look at all events may take. Nobody waits for it, unless it finds something to change. */
const longest = 10 * 60_000

/** Rejects with an OutboxError if a key is missing, and with a DatabaseUnusable. */
export async function prepareOutbox(settings: PostgresOutboxSettings, encryption: Encryption): Promise<Prepared> {
	const client = await connect(settings.postgres, { connect: 5000, statement: longest })
	try {
		const salt = await saltOf(client, encryption)
		if (await isOutOfLine(client, settings)) await bringInLine(client, settings)
		const routes = await client.query<{ route: string }>(
			`SELECT DISTINCT route FROM dragoman.events WHERE state = 'waiting'`,
		)
		const nodes = await client.query<{ used: string }>('SELECT sum(bytes) AS used FROM dragoman.nodes')
		return { routes: routes.rows.map(({ route }) => route), salt, used: Number(nodes.rows[0]?.used) }
	} catch (thrown) {
		throw refused(settings.postgres, thrown)
	} finally {
		await disconnect(client)
	}
}

/** After the server's clock was set back, no event may wait for longer than the schedule's longest wait. */
const waitsTooLong = `state = 'waiting' AND next_at > now() + $1 * interval '1 ms'`

/** Whether waiting events are in another order, or due too late. Takes no locks, because it looks at all of them. */
async function isOutOfLine(client: ClientBase, settings: PostgresOutboxSettings): Promise<boolean> {
	const { rows } = await client.query<{ late: boolean; order: Buffer | null }>(
		`SELECT EXISTS (SELECT FROM dragoman.events WHERE ${waitsTooLong}) AS late,
			(SELECT value FROM dragoman.meta WHERE name = 'order') AS order`,
		[longestWait(settings)],
	)
	return rows[0]?.late === true || rows[0]?.order?.toString() !== settings.order
}

/** Changes them, while all processes that store events wait. */
async function bringInLine(client: ClientBase, settings: PostgresOutboxSettings): Promise<void> {
	await client.query('BEGIN')
	await client.query('SELECT pg_advisory_xact_lock($1, stripe) FROM generate_series(0, $2) AS stripe', [
		...[lockClass.stripe, stripes - 1],
	])
	await client.query(`UPDATE dragoman.events SET next_at = now() + $1 * interval '1 ms' WHERE ${waitsTooLong}`, [
		longestWait(settings),
	])
	await client.query(
		`UPDATE dragoman.events AS e SET head = NOT e.head FROM (
			SELECT seq, CASE WHEN $1 THEN seq = min(seq) OVER conversation
				ELSE attempts > 0 OR seq = min(seq) FILTER (WHERE attempts = 0) OVER conversation END AS head
			FROM dragoman.events WHERE state = 'waiting' AND lane IS NOT NULL WINDOW conversation AS (PARTITION BY lane)
		) AS wanted WHERE e.seq = wanted.seq AND e.head <> wanted.head`,
		[settings.order === 'block'],
	)
	await setMeta(client, 'order', null, Buffer.from(settings.order))
	await client.query('COMMIT')
}

/** The salt of the conversations' hashes, which the first process makes. Rejects with an OutboxError if a key is missing. */
export async function saltOf(client: ClientBase, encryption: Encryption): Promise<string> {
	const made = encryption.encrypt('salt', randomBytes(16).toString('hex'))
	await client.query(`INSERT INTO dragoman.meta (name, key, value) VALUES ('salt', $1, $2) ON CONFLICT DO NOTHING`, [
		...[made.key, made.bytes],
	])
	const missing = await client.query<{ key: string }>(
		`SELECT key FROM (SELECT key FROM dragoman.events UNION SELECT key FROM dragoman.meta) AS keys
		WHERE key IS NOT NULL AND key <> ALL ($1)`,
		[encryption.ids],
	)
	for (const { key } of missing.rows) throw missingKey(key)
	const { rows } = await client.query<{ key: string | null; value: Buffer }>(
		`SELECT key, value FROM dragoman.meta WHERE name = 'salt'`,
	)
	const [row] = rows
	if (!row) throw new Error('the salt was deleted')
	const salt = encryption.decrypt('salt', { key: row.key, bytes: row.value })
	if (row.key !== encryption.current) {
		const { key, bytes } = encryption.encrypt('salt', salt)
		await setMeta(client, 'salt', key, bytes)
	}
	return salt
}

async function setMeta(client: ClientBase, name: string, key: string | null, value: Uint8Array): Promise<void> {
	await client.query(
		`INSERT INTO dragoman.meta (name, key, value) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET key = excluded.key, value = excluded.value`,
		[name, key, value],
	)
}
