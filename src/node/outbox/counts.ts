/** Counts the stored events beside the gateway that delivers them, in a thread of its own: a large file takes a while. */
import { startThread } from '../start-thread.ts'

/** The events of one route that are in one state. */
export interface EventCount {
	readonly route: string
	readonly state: 'waiting' | 'delivered' | 'dead'
	readonly count: number
	/** When the oldest of them was accepted, in milliseconds since 1970. */
	readonly oldestAt: number
}

/** What is in an outbox. */
export interface OutboxCounts {
	readonly events: readonly EventCount[]
	/** Bytes of the file that are in use without its log, or of the events in PostgreSQL. */
	readonly usedBytes: number
}

/** Counts when it is asked. */
export interface Counter {
	/** Rejects when the file or the database cannot be read. */
	count(): Promise<OutboxCounts>
	/** Waits for what is being counted. */
	close(): Promise<void>
}

/** Counts the events in this file, in a thread. Rejects when it cannot be read. */
export async function countEvents(file: string): Promise<OutboxCounts> {
	const worker = startThread('outbox/counts-thread', 'outbox counts', file)
	const { promise, resolve, reject } = Promise.withResolvers<OutboxCounts>()
	worker.once('message', resolve).once('error', reject)
	// The gateway may end meanwhile, and then the thread must have let go of the file.
	const ended = new Promise<void>((done) => worker.once('exit', () => done()))
	try {
		return await promise
	} finally {
		await ended
	}
}
