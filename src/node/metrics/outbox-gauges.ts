/** Gauges of the outbox: how much waits, for how long, and what gave up. They are read when somebody asks. */
import { Gauge, type Registry } from 'prom-client'
import type { Route } from '../../route.ts'
import type { EventCount, OutboxCounts } from '../outbox/counts.ts'

/** Where the events are counted. */
export interface OutboxSource {
	/** Rejects when the file cannot be read. */
	count(): Promise<OutboxCounts>
	/** Bytes that the file may have. */
	readonly maxBytes: number
	/** Milliseconds since 1970. */
	now(): number
}

/** The states that are told of, also where there is no event. */
const shown: readonly EventCount['state'][] = ['waiting', 'dead']

/** Milliseconds for which a count is kept: it may read all of a large file. */
const keptFor = 10_000

/** Adds the gauges to the registry. */
export function addOutboxGauges(registry: Registry, source: OutboxSource, routes: () => readonly Route[]): void {
	const registers = [registry]
	const count = keeping(source)
	new Gauge({
		...{ name: 'dragoman_outbox_events', help: 'Stored events and pushes by state', registers },
		labelNames: ['route', 'state'],
		async collect() {
			const counts = await count()
			this.reset()
			if (!counts) return
			for (const { name: route } of routes()) for (const state of shown) this.set({ route, state }, 0)
			for (const each of counts.events) this.set({ route: each.route, state: each.state }, each.count)
		},
	})
	new Gauge({
		...{ name: 'dragoman_outbox_oldest_waiting_seconds', registers, labelNames: ['route'] },
		help: 'Age of the oldest event that waits to be delivered',
		async collect() {
			const counts = await count()
			this.reset()
			for (const { route, state, oldestAt } of counts?.events ?? []) {
				if (state === 'waiting') this.set({ route }, Math.max(0, source.now() - oldestAt) / 1000)
			}
		},
	})
	new Gauge({
		...{ name: 'dragoman_outbox_used_bytes', help: 'Bytes of the file of the outbox that are in use', registers },
		async collect() {
			this.set((await count())?.usedBytes ?? Number.NaN)
		},
	})
	new Gauge({
		...{ name: 'dragoman_outbox_limit_bytes', help: 'Bytes that the file of the outbox may have', registers },
		collect() {
			this.set(source.maxBytes)
		},
	})
}

/** The last count, if it is new enough; undefined when the file cannot be read. */
function keeping({ count, now }: OutboxSource): () => Promise<OutboxCounts | undefined> {
	let last: { readonly counts: Promise<OutboxCounts | undefined>; readonly at: number } | undefined
	return () => {
		if (!last || now() - last.at >= keptFor) last = { counts: count().catch(() => undefined), at: now() }
		return last.counts
	}
}
