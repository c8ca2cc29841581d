/** Runs a gateway on Node with adapters of one's own choice: `import { serve } from 'dragoman/node'`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import type { AdapterFactory } from '../adapter.ts'
import { createApp } from '../app.ts'
import type { Fields } from '../codec.ts'
import { type Environment, readConfig } from '../config/index.ts'
import { demo } from '../demo.ts'
import type { Route } from '../route.ts'
import type { LogLine, Runtime } from '../runtime.ts'
import { openOutbox } from './outbox/index.ts'
import { createRuntime } from './runtime.ts'

export interface ServeOptions {
	/** The parsed configuration; its shape: config/gateway.schema.json. */
	readonly config: unknown
	readonly adapters: readonly AdapterFactory[]
	/** Where the secrets stand. Absent: the environment of this process. */
	readonly env?: Environment
	/** Absent: this machine only. */
	readonly host?: string
	/** Absent, or 0: any that is free. */
	readonly port?: number
	/** Takes the log's lines. Absent: standard output, as JSON. */
	log?(line: LogLine): void
}

/** A gateway that listens. */
export interface Gateway {
	readonly url: string
	readonly routes: readonly Route[]
	readonly runtime: Runtime
	/** Lets the turns in hand end, for ten seconds at most, and takes no new ones. */
	close(): Promise<void>
}

/** Milliseconds. Node's own limits leave a thousand idle connections open for a minute. */
const limits = {
	headersTimeout: 5000,
	// A body that takes longer leaves the upstream no time.
	requestTimeout: 7000,
	keepAliveTimeout: 5000,
	connectionsCheckingInterval: 1000,
}
const maxHeaderSize = 16_384
const maxConnections = 2000
/** Milliseconds without a byte read or written, for those who do not take their answer; more than a turn needs. */
const idleTimeout = 30_000

/** Milliseconds for which connections in use are asked to close before the door is shut. */
const grace = 500
/** Milliseconds until whatever is left is cut off. */
const drainLimit = 10_000

/** Starts a gateway. Rejects with a ConfigError, an OutboxUnusable, or with the system's error when it cannot listen. */
export async function serve(options: ServeOptions): Promise<Gateway> {
	const { config, adapters, env = process.env, host = '127.0.0.1', port = 0, log } = options
	const { routes, warnings, ...settings } = readConfig(config, { adapters, env, loopback: isLoopback(host), demo })
	const lent = createRuntime(log?.bind(options))
	const outbox = settings.outbox && (await openOutbox(settings.outbox, () => routes, lent))
	const runtime: Runtime = outbox ? { ...lent, outbox } : lent
	for (const warning of warnings) runtime.log({ level: 'warn', msg: 'config', warning })

	let draining = false
	const app = createApp({ routes, runtime, ready: () => !draining, fieldsOf, targetOf })
	const respond = async (request: Request, env: object): Promise<Response> => {
		const response = await app.fetch(request, env)
		if (draining && hasOutgoing(env)) env.outgoing.setHeader('connection', 'close')
		return response
	}
	const server = createServer({ ...limits, maxHeaderSize }, getRequestListener(respond, { hostname: host }))
	server.maxConnections = maxConnections
	server.setTimeout(idleTimeout)
	await new Promise<void>((listening, failed) => {
		server.once('error', failed)
		server.listen(port, host, () => {
			server.off('error', failed)
			listening()
		})
	}).catch(async (cause: unknown) => {
		await outbox?.close(0)
		throw cause
	})

	const connections = () =>
		new Promise<number>((count) => server.getConnections((_error, number) => count(number ?? 0)))
	const close = async (): Promise<void> => {
		draining = true
		const until = performance.now() + drainLimit
		outbox?.drain()
		// Whoever is talking to us learns from our answer that the connection ends, and loses nothing.
		for (let waited = 0; waited < grace && (await connections()) > 0; waited += 25) await wait(25)
		const closed = new Promise<void>((done) => server.close(() => done()))
		const idle = setInterval(() => server.closeIdleConnections(), 50)
		const cut = setTimeout(() => server.closeAllConnections(), drainLimit - grace)
		await closed
		clearInterval(idle)
		clearTimeout(cut)
		await outbox?.close(Math.max(0, until - performance.now()))
		await lent.close(Math.max(0, until - performance.now()))
	}
	let closing: Promise<void> | undefined
	return {
		url: urlOf(server.address(), host),
		routes,
		runtime,
		close: () => (closing ??= close()),
	}
}

function isLoopback(host: string): boolean {
	return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function urlOf(address: ReturnType<ReturnType<typeof createServer>['address']>, host: string): string {
	const port = typeof address === 'object' && address !== null ? address.port : 0
	return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

interface NodeEnv {
	readonly incoming: IncomingMessage
	readonly outgoing: ServerResponse
}

function hasOutgoing(env: unknown): env is NodeEnv {
	return typeof env === 'object' && env !== null && 'outgoing' in env && 'incoming' in env
}

// As it was sent: the Request's own URL has lost its dots, and takes a foreign host from an absolute target.
function targetOf(request: Request, env: unknown): string {
	return (hasOutgoing(env) && env.incoming.url) || new URL(request.url).pathname
}

// Straight from the parser: building a Headers object costs more than the rest of the look-up.
function fieldsOf(_request: Request, env: unknown): Fields {
	if (!hasOutgoing(env)) return []
	const { rawHeaders } = env.incoming
	const fields: [string, string][] = []
	for (let i = 0; i < rawHeaders.length; i += 2) {
		fields.push([(rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? ''])
	}
	return fields
}
