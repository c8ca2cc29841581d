/** Metrics and their server. Loaded only by a gateway whose configuration has `"metrics"`. */
import type { MetricsSettings, OutboxSettings } from '../../config/index.ts'
import type { Observer } from '../../observer/index.ts'
import type { Route } from '../../route.ts'
import type { Counter } from '../outbox/counts.ts'
import { openCounter } from '../outbox/open-counter.ts'
import { createMetrics } from './metrics.ts'
import { type MetricsServer, serveMetrics } from './serve-metrics.ts'

/** Metrics that are being served. */
export interface OpenMetrics extends MetricsServer {
	/** Counts what it sees. */
	readonly observer: Observer
}

/** Starts to measure and to serve. `outbox`: that of the gateway, if it has one; `sharesState`: with other Nodes. Rejects with an AddressUnusable if it cannot listen there. */
export async function openMetrics(
	settings: MetricsSettings,
	routes: () => readonly Route[],
	outbox: OutboxSettings | undefined,
	sharesState: boolean,
): Promise<OpenMetrics> {
	const counter: Counter | undefined = outbox && (await openCounter(outbox))
	const source = outbox && counter && { count: counter.count, maxBytes: outbox.maxBytes, now: Date.now }
	const { registry, observer } = createMetrics({ routes, outbox: source, sharesState })
	const server = await serveMetrics(registry, settings)
	return {
		observer,
		url: server.url,
		async close() {
			await server.close()
			await counter?.close()
		},
	}
}
