/** Administration of the events in PostgreSQL, while gateways may be delivering them. */
import type { PostgresOutboxSettings } from '../../../config/index.ts'
import { type ClientBase, connect, disconnect, refused } from '../../postgres/connection.ts'
import { lockClass, rowBytes } from '../../postgres/migrations/outbox-functions.ts'
import { requireSchema } from '../../postgres/migrations.ts'
import { createEncryption, hashConversation } from '../encryption.ts'
import type { Progress } from '../portions.ts'
import type { EventFilter, Records, Row } from '../records.ts'
import { saltOf } from './prepare.ts'

/** Milliseconds that a look at all events may take, or the vacuum behind an erasure. */
const longest = 10 * 60_000

/** Events that one transaction changes: those that gateways store meanwhile wait for it. */
const portion = 250

const matches =
	'($1::text IS NULL OR id = $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR route = $3)'

const columns = `
	id, route, state, owner IS NOT NULL AS "underWay", attempts, extract(epoch FROM accepted_at)::float8 * 1000 AS "acceptedAt",
	extract(epoch FROM next_at)::float8 * 1000 AS "nextAt", error, octet_length(payload) AS bytes
`

/** What the changed rows add to the bytes of all events, and of those that ended. */
const counting = `UPDATE dragoman.nodes SET bytes = bytes + $2, ended_bytes = ended_bytes + $3 WHERE id = $1`

/** Ids that this database knows, in an order. */
interface Found {
	readonly id: string
}

/** A row that was changed. */
interface Changed {
	readonly lane: Buffer | null
	readonly ended: boolean
	readonly bytes: number
}

interface ListedRow extends Omit<Row, 'error'> {
	readonly error: string | null
}

/** Connects. Rejects with a DatabaseUnusable. */
export async function openPostgresAdmin(settings: PostgresOutboxSettings): Promise<Records> {
	const client = await connect(settings.postgres, { connect: 5000, statement: longest })
	const encryption = createEncryption(settings.keys)
	const parameters = ({ id, state, route }: EventFilter) => [id ?? null, state ?? null, route ?? null]
	try {
		await requireSchema(client)
	} catch (thrown) {
		await disconnect(client)
		throw refused(settings.postgres, thrown)
	}

	/** Changes the events in portions, each in one transaction that holds the locks of their lanes. */
	async function changeEach(found: readonly Found[], change: Change, progress: Progress): Promise<number> {
		let changed = 0
		for (let from = 0; from < found.length; from += portion) {
			const ids = found.slice(from, from + portion).map(({ id }) => id)
			await client.query('BEGIN')
			changed += await change(ids)
			await client.query('COMMIT')
			progress(Math.min(found.length, from + portion), found.length)
		}
		return changed
	}

	function remover(which: EventFilter): Change {
		return async (ids) => {
			await lockLanesOf(client, ids)
			const { rows } = await client.query<Changed>(
				`DELETE FROM dragoman.events WHERE id = ANY ($4) AND ${matches}
				RETURNING lane, state <> 'waiting' AS ended, octet_length(payload) AS bytes`,
				[...parameters(which), ids],
			)
			const lanes = rows.flatMap(({ lane }) => lane ?? [])
			await client.query('SELECT dragoman.promote_1($1, $2)', [lanes, settings.order === 'block'])
			await client.query(counting, [0, -sum(rows) - rows.length * rowBytes, -sum(rows.filter(({ ended }) => ended))])
			return rows.length
		}
	}

	async function find(where: string, values: readonly unknown[]): Promise<readonly Found[]> {
		return (await client.query<Found>(`SELECT id FROM dragoman.events WHERE ${where}`, [...values])).rows
	}

	return {
		async list(which, limit) {
			const { rows } = await client.query<ListedRow>(
				`SELECT ${columns} FROM dragoman.events WHERE ${matches} ORDER BY seq LIMIT $4`,
				[...parameters(which), limit],
			)
			return rows.map(({ error, acceptedAt, nextAt, ...row }) => ({
				...{ ...row, acceptedAt: Math.round(acceptedAt), nextAt: Math.round(nextAt) },
				...(error !== null && { error }),
			}))
		},
		async counts() {
			const { rows } = await client.query<{ state: string; count: string }>(
				'SELECT state, count(*) AS count FROM dragoman.events GROUP BY state ORDER BY state',
			)
			return rows.map(({ state, count }) => [state, Number(count)] as const)
		},
		async payload(id) {
			const { rows } = await client.query<{ key: string | null; payload: Buffer }>(
				'SELECT key, payload FROM dragoman.events WHERE id = $1',
				[id],
			)
			const [row] = rows
			return row && encryption.decrypt(id, { key: row.key, bytes: row.payload })
		},
		async redrive(which, progress) {
			const found = await find(`${matches} AND state <> 'waiting' ORDER BY seq`, parameters(which))
			const putBack: Change = async (ids) => {
				await lockLanesOf(client, ids)
				const { rows } = await client.query<{ bytes: number }>(putBackAll, [
					...[...parameters(which), ids, settings.order === 'block'],
				])
				await client.query(counting, [0, 0, -sum(rows)])
				return rows.length
			}
			const count = await changeEach(found, putBack, progress)
			if (count > 0) await client.query('NOTIFY dragoman_outbox')
			return count
		},
		async drop(which, progress) {
			// The last first: otherwise those that follow in a conversation would be delivered meanwhile.
			const found = await find(`${matches} ORDER BY seq DESC`, parameters(which))
			return await changeEach(found, remover(which), progress)
		},
		async erase(conversation, progress) {
			const salt = await saltOf(client, encryption)
			const routes = await client.query<{ route: string }>('SELECT DISTINCT route FROM dragoman.events')
			// The gateway's own name for a conversation has the route in it.
			const hashes = routes.rows.map(({ route }) => hashConversation(salt, `${route} ${conversation}`))
			const found = await find('lane = ANY ($1) ORDER BY seq DESC', [hashes])
			const erased = await changeEach(found, remover({}), progress)
			// Also for none: a command that was interrupted has left the vacuum to this one.
			const warning = await vacuum(client)
			if (warning !== undefined) {
				const left = `The files of the table may still have deleted events (${warning}). Run this command as the owner of the table.`
				return { erased, left }
			}
			const left =
				'The write-ahead log of the server and its backups have the events until they are deleted themselves.'
			return { erased, ...(erased > 0 && { left }) }
		},
		async close() {
			await disconnect(client)
		},
	}
}

/**
 * Removes deleted events from the files of their table. Returns what the server warns of: of a user without the right to it,
 * it skips the table, and reports no error.
 */
async function vacuum(client: ClientBase): Promise<string | undefined> {
	let warning: string | undefined
	// Less than a warning is not sent on our connections.
	const take = ({ message }: { readonly message?: string | undefined }) => {
		warning = message
	}
	client.on('notice', take)
	await client.query('VACUUM dragoman.events')
	client.off('notice', take)
	return warning
}

/** Changes these events in a transaction. Returns how many it changed. */
type Change = (ids: readonly string[]) => Promise<number>

/** Each event that is still of the filter, at the end of its conversation. */
const putBackAll = `
	WITH back AS MATERIALIZED (
		SELECT found.*, nextval('dragoman.places') AS place FROM (
			SELECT seq AS earlier, lane, row_number() OVER (PARTITION BY lane ORDER BY seq) = 1 AS first
			FROM dragoman.events WHERE id = ANY ($4) AND ${matches} AND state <> 'waiting' ORDER BY seq
		) AS found
	)
	UPDATE dragoman.events AS e SET state = 'waiting', seq = back.place, head = back.lane IS NULL OR (back.first AND NOT EXISTS (
		SELECT FROM dragoman.events AS other
		WHERE other.state = 'waiting' AND other.lane = back.lane AND ($5 OR other.attempts = 0)
	)), accepted_at = clock_timestamp(), attempts = 0, lapses = 0, next_at = clock_timestamp(), ended_at = NULL, error = NULL
	FROM back WHERE e.seq = back.earlier RETURNING octet_length(e.payload) AS bytes
`

/** Takes the locks of the lanes of these events, in the order in which everybody does. */
async function lockLanesOf(client: ClientBase, ids: readonly string[]): Promise<void> {
	await client.query(
		`SELECT pg_advisory_xact_lock($1, stripe) FROM (
			SELECT DISTINCT get_byte(lane, 0) AS stripe FROM dragoman.events WHERE id = ANY ($2) AND lane IS NOT NULL ORDER BY 1
		) AS stripes`,
		[lockClass.stripe, ids],
	)
}

function sum(rows: readonly { readonly bytes: number }[]): number {
	return rows.reduce((total, { bytes }) => total + bytes, 0)
}
