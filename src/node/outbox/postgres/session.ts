/**
 * The connection with which a process uses the outbox in PostgreSQL. Everything goes over this one: the lock that says that
 * the process lives, its claims, and the news of other processes. So a process that has lost its lock cannot claim anything.
 */
import type { PostgresSettings } from '../../../config/index.ts'
import { type Client, connect, disconnect, refused, requireDurable } from '../../postgres/connection.ts'
import { lockClass } from '../../postgres/migrations/outbox-functions.ts'
import { migrate, requireSchema } from '../../postgres/migrations.ts'

/** A connection with a lock. */
export interface Session {
	readonly client: Client
	/** The id under which this process claims events, while the connection is there. */
	readonly node: number
	/** False: the connection has ended. */
	isOpen(): boolean
	close(): Promise<void>
}

/**
 * The tables of a queue are empty at one moment and full at the next, and plans are kept. So the planner is kept from what is
 * good for small tables only, such as a join that reads all that waits.
 */
const planning = [
	...['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin', 'material'].map((way) => `SET enable_${way} = off`),
	'SET plan_cache_mode = force_generic_plan',
	'SET jit = off',
].join('; ')

/**
 * Connects, and takes the lock. `earlier`: the id that this process had; it keeps its claims, unless another process has
 * taken them back meanwhile. `onNews` is called when another process has stored or released what is due. Rejects with a
 * DatabaseUnusable.
 */
export async function openSession(
	settings: PostgresSettings,
	earlier: number | undefined,
	onNews: () => void,
): Promise<Session> {
	if (earlier === undefined && settings.migrate) await migrate(settings)
	const client = await connect(settings)
	let open = true
	let own: number | undefined
	for (const over of ['end', 'error'] as const) {
		client.on(over, () => {
			open = false
		})
	}
	// Who sends a notification hears it as well.
	client.on('notification', ({ processId }) => {
		if (processId !== own) onNews()
	})
	try {
		await requireDurable(client)
		await requireSchema(client)
		const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
		own = rows[0]?.pid
		await client.query(`${planning}; LISTEN dragoman_outbox`)
		const again = earlier !== undefined && (await retake(client, earlier))
		const node = again ? earlier : await register(client)
		return {
			client,
			node,
			isOpen: () => open,
			async close() {
				open = false
				await disconnect(client)
			},
		}
	} catch (thrown) {
		void disconnect(client)
		throw refused(settings, thrown)
	}
}

/** Takes the lock of an id that this process had. False: its connection is still there, or its events were taken back. */
async function retake(client: Client, node: number): Promise<boolean> {
	const lock = [lockClass.node, node]
	const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', lock)
	if (!rows[0]?.locked) return false
	const { rowCount } = await client.query('SELECT FROM dragoman.nodes WHERE id = $1', [node])
	if (rowCount === 1) return true
	await client.query('SELECT pg_advisory_unlock($1, $2)', lock)
	return false
}

/** A new id, whose lock is taken before others see it. */
async function register(client: Client): Promise<number> {
	await client.query('BEGIN')
	const { rows } = await client.query<{ id: number }>('INSERT INTO dragoman.nodes DEFAULT VALUES RETURNING id')
	const [row] = rows
	if (!row) throw new Error('the server returned no id')
	await client.query('SELECT pg_advisory_lock($1, $2)', [lockClass.node, row.id])
	await client.query('COMMIT')
	return row.id
}
