/** The thread that counts the events of an outbox. It reads the file, and writes nothing. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { EventCount, OutboxCounts } from './counts.ts'

/** Milliseconds to wait for those who lock the file. */
const timeout = 1000

const db = new DatabaseSync(String(workerData), { readOnly: true, timeout })
try {
	parentPort?.postMessage(count())
} finally {
	db.close()
}

function count(): OutboxCounts {
	const rows = db.prepare(
		'SELECT route, state, count(*) AS count, min(accepted_at) AS oldest FROM events GROUP BY route, state',
	)
	return {
		events: rows.all().flatMap(({ route, state, count, oldest }) => {
			return isState(state) ? [{ route: String(route), state, count: Number(count), oldestAt: Number(oldest) }] : []
		}),
		usedBytes: (pragma('page_count') - pragma('freelist_count')) * pragma('page_size'),
	}
}

function pragma(name: 'page_count' | 'freelist_count' | 'page_size'): number {
	return Number(db.prepare(`PRAGMA ${name}`).get()?.[name])
}

function isState(state: unknown): state is EventCount['state'] {
	return state === 'waiting' || state === 'delivered' || state === 'dead'
}
