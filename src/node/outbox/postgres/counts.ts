/** Counts the stored events in PostgreSQL, over a connection of its own. */
import type { PostgresSettings } from '../../../config/index.ts'
import { connect, disconnect, requireWritable } from '../../postgres/connection.ts'
import type { Counter, EventCount, OutboxCounts } from '../counts.ts'

/** The events of all processes. The bytes are those of the events, not of the files of the server. */
export function createPostgresCounter(settings: PostgresSettings): Counter {
	let counting: Promise<OutboxCounts> | undefined
	return {
		count: () => (counting = countEvents(settings)),
		async close() {
			await counting?.catch(() => {})
		},
	}
}

/** Connects each time: after a failover, a connection that was kept would lead to what was the primary. */
async function countEvents(settings: PostgresSettings): Promise<OutboxCounts> {
	const client = await connect(settings)
	try {
		await requireWritable(client)
		const events = await client.query<EventCount>(`
			SELECT route, state, count(*)::float8 AS count, extract(epoch FROM min(accepted_at))::float8 * 1000 AS "oldestAt"
			FROM dragoman.events GROUP BY route, state
		`)
		const used = await client.query<{ bytes: number }>('SELECT sum(bytes)::float8 AS bytes FROM dragoman.nodes')
		return { events: events.rows, usedBytes: used.rows[0]?.bytes ?? 0 }
	} finally {
		await disconnect(client)
	}
}
