/** Brings the outbox in PostgreSQL in line with the settings, when a process opens it. */
import { randomBytes } from 'node:crypto'
import type { PostgresOutboxSettings } from '../../../config/index.ts'
import { longestWait } from '../../../delivery/index.ts'
import type { ClientBase } from '../../postgres/connection.ts'
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

/** Rejects with an OutboxError if a key is missing. */
export async function prepareOutbox(
	client: ClientBase,
	settings: PostgresOutboxSettings,
	encryption: Encryption,
): Promise<Prepared> {
	await client.query('BEGIN')
	await lockStripes(client)
	const salt = await saltOf(client, encryption)
	// After the server's clock was set back, no event may wait for longer than the schedule's longest wait.
	await client.query(
		`UPDATE dragoman.events SET next_at = now() + $1 * interval '1 ms'
		WHERE state = 'waiting' AND next_at > now() + $1 * interval '1 ms'`,
		[longestWait(settings)],
	)
	await reorder(client, settings.order)
	await client.query('COMMIT')
	const routes = await client.query<{ route: string }>(
		`SELECT DISTINCT route FROM dragoman.events WHERE state = 'waiting'`,
	)
	const nodes = await client.query<{ used: string }>('SELECT sum(bytes) AS used FROM dragoman.nodes')
	return { routes: routes.rows.map(({ route }) => route), salt, used: Number(nodes.rows[0]?.used) }
}

/** Takes the locks of all lanes, until the end of the transaction. */
export async function lockStripes(client: ClientBase): Promise<void> {
	await client.query('SELECT pg_advisory_xact_lock($1, stripe) FROM generate_series(0, $2) AS stripe', [
		...[lockClass.stripe, stripes - 1],
	])
}

/** The salt of the conversations' hashes, which the first process makes, with the stripes locked. Rejects with an OutboxError if a key is missing. */
export async function saltOf(client: ClientBase, encryption: Encryption): Promise<string> {
	const missing = await client.query<{ key: string; count: string }>(
		`SELECT key, count(*) AS count FROM (SELECT key FROM dragoman.events UNION ALL SELECT key FROM dragoman.meta) AS keys
		WHERE key IS NOT NULL AND key <> ALL ($1) GROUP BY key`,
		[encryption.ids],
	)
	for (const { key, count } of missing.rows) throw missingKey(key, Number(count))
	const { rows } = await client.query<{ key: string | null; value: Buffer }>(
		`SELECT key, value FROM dragoman.meta WHERE name = 'salt'`,
	)
	const [row] = rows
	const salt = row ? encryption.decrypt('salt', { key: row.key, bytes: row.value }) : randomBytes(16).toString('hex')
	if (row?.key !== encryption.current) {
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

/** Brings the waiting events of every conversation into this order, if they were in another one. */
async function reorder(client: ClientBase, order: 'block' | 'overtake'): Promise<void> {
	const { rows } = await client.query<{ value: Buffer }>(`SELECT value FROM dragoman.meta WHERE name = 'order'`)
	if (rows[0]?.value.toString() === order) return
	await client.query(
		`UPDATE dragoman.events AS e SET head = (NOT $1 AND attempts > 0) OR (seq = (
			SELECT min(seq) FROM dragoman.events AS first
			WHERE first.state = 'waiting' AND first.lane = e.lane AND ($1 OR first.attempts = 0)
		)) IS TRUE WHERE state = 'waiting' AND lane IS NOT NULL`,
		[order === 'block'],
	)
	await setMeta(client, 'order', null, Buffer.from(order))
}
