/** Counts the stored events in PostgreSQL, over a connection of its own. */
import type { PostgresSettings } from '../../../config/index.ts'
import { createPool } from '../../postgres/connection.ts'
import type { Counter, EventCount } from '../counts.ts'

/** The events of all processes. The bytes are those of the events, not of the files of the server. */
export function createPostgresCounter(settings: PostgresSettings): Counter {
	const pool = createPool(settings, 1)
	return {
		async count() {
			const events = await pool.query<EventCount>(`
				SELECT route, state, count(*)::float8 AS count, extract(epoch FROM min(accepted_at))::float8 * 1000 AS "oldestAt"
				FROM dragoman.events GROUP BY route, state
			`)
			const used = await pool.query<{ bytes: number }>('SELECT sum(bytes)::float8 AS bytes FROM dragoman.nodes')
			return { events: events.rows, usedBytes: used.rows[0]?.bytes ?? 0 }
		},
		close: () => pool.end(),
	}
}
