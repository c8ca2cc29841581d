/** Counts the events of an outbox, wherever they are stored. */
import type { OutboxSettings } from '../../config/index.ts'
import { type Counter, countEvents, type OutboxCounts } from './counts.ts'

/** Counts the events of an outbox. */
export async function openCounter(settings: OutboxSettings): Promise<Counter> {
	if ('postgres' in settings) {
		const { createPostgresCounter } = await import('./postgres/counts.ts')
		return createPostgresCounter(settings.postgres)
	}
	let counting: Promise<OutboxCounts> | undefined
	return {
		count: () => (counting = countEvents(settings.file)),
		async close() {
			// The file is let go of before the outbox closes it.
			await counting?.catch(() => {})
		},
	}
}
