/** Gauges of the upstreams: their circuits, and how many calls each may take. They are read when somebody asks. */
import { Gauge, type Registry } from 'prom-client'
import type { Route } from '../../route.ts'
import type { Upstream } from '../../upstream/index.ts'

/** Adds the gauges to the registry. */
export function addUpstreamGauges(registry: Registry, { routes }: { routes(): readonly Route[] }): void {
	const registers = [registry]
	new Gauge({
		...{ name: 'dragoman_upstream_circuit_open', help: '1 while the circuit of an endpoint is open', registers },
		labelNames: ['origin'],
		collect() {
			this.reset()
			const endpoints = upstreamsOf(routes()).flatMap((upstream) => upstream.endpoints)
			for (const { url, breaker } of endpoints) this.inc({ origin: originOf(url) }, breaker.isOpen ? 1 : 0)
		},
	})
	new Gauge({
		...{ name: 'dragoman_upstream_calls', help: 'Calls to an upstream that are under way', registers },
		labelNames: ['origin'],
		collect() {
			this.reset()
			for (const { endpoints, concurrencyLimit } of upstreamsOf(routes())) {
				this.inc({ origin: originOf(endpoints[0].url) }, concurrencyLimit.inUse)
			}
		},
	})
	new Gauge({
		...{ name: 'dragoman_upstream_calls_limit', help: 'Calls to an upstream that may be under way', registers },
		labelNames: ['origin'],
		collect() {
			this.reset()
			for (const { endpoints, concurrencyLimit } of upstreamsOf(routes())) {
				this.inc({ origin: originOf(endpoints[0].url) }, concurrencyLimit.max)
			}
		},
	})
}

/** Each upstream once, though routes share it. */
function upstreamsOf(routes: readonly Route[]): readonly Upstream[] {
	return [...new Map(routes.map(({ upstream }) => [upstream.concurrencyLimit, upstream])).values()]
}

/** Path and query may hold secrets. */
function originOf(url: string): string {
	const { origin = 'null', protocol = '' } = URL.parse(url) ?? {}
	return origin === 'null' ? protocol : origin
}
