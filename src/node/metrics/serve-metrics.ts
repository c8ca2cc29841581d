/** Serves metrics at `/metrics`, on a port of their own. */
import { createServer, type ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import type { MetricsSettings } from '../../config/index.ts'
import { AddressUnusable } from '../listen-address.ts'

/** A server of metrics. */
export interface MetricsServer {
	readonly url: string
	close(): Promise<void>
}

/** Milliseconds for a request to come. */
const requestTimeout = 5000
/** Connections that are open at the same time. */
const maxConnections = 20

/** Starts the server. Rejects with an AddressUnusable if it cannot listen there. */
export async function serveMetrics(registry: Registry, { host, port }: MetricsSettings): Promise<MetricsServer> {
	const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, async ({ method, url }, response) => {
		if (url !== '/metrics') return end(response, 404, 'Metrics are at /metrics.\n')
		if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'Use GET.\n')
		try {
			end(response, 200, await registry.metrics(), registry.contentType)
		} catch {
			end(response, 500, 'The metrics cannot be read.\n')
		}
	})
	server.maxConnections = maxConnections
	const said = `The metrics cannot be served on port ${port} of ${host}`
	await new Promise<void>((listening, failed) => {
		const fail = (cause: NodeJS.ErrnoException) =>
			failed(new AddressUnusable(`${said} (${cause.code}). Change "metrics" in the configuration.`, { cause }))
		server.once('error', fail)
		server.listen(port, host, () => {
			server.off('error', fail)
			listening()
		})
	})
	const address = server.address()
	const bound = typeof address === 'object' && address ? address.port : port
	return {
		url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
		close: () =>
			new Promise((done) => {
				server.close(() => done())
				server.closeAllConnections()
			}),
	}
}

function end(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
	response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
