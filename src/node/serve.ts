/** Runs a gateway on Node with adapters of one's own choice: `import { serve } from 'dragoman/node'`. */
import type { Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import {
	type ConfigContext,
	ConfigError,
	type Environment,
	type MetricsSettings,
	type OutboxSettings,
	readConfig,
	type StateSettings,
} from '../config/index.ts'
import type { AdapterFactory, WireResponse } from '../format/index.ts'
import {
	type ByteSource,
	createApp,
	createBodyBudget,
	createRejectionLog,
	type RequestHead,
	streamSource,
	toResponse,
} from '../http/index.ts'
import { limits as defaults } from '../limits.ts'
import { combineObservers, type Observer } from '../observer/index.ts'
import type { Route } from '../route.ts'
import type { LogLine, Runtime } from '../runtime.ts'
import { demo } from '../upstream/index.ts'
import { incomingSource } from './incoming-source.ts'
import { isLocal, listen } from './listener.ts'
import type { OpenMetrics } from './metrics/open-metrics.ts'
import { createRuntime, type NodeRuntime } from './node-runtime.ts'
import { openOutbox } from './outbox/open-outbox.ts'
import { type Exchange, sendAnswer } from './send-answer.ts'
import { serializePipelining } from './serialize-pipelining.ts'
import { rejectAmbiguous, targetOf } from './smuggling-guard.ts'
import type { SharedState } from './state/shared-state.ts'
import { openTracing } from './tracing.ts'

/** What to serve, and where. */
export interface ServeOptions {
	/** The parsed configuration; its shape: config/gateway.schema.json. */
	readonly config: unknown
	readonly adapters: readonly AdapterFactory[]
	/** The environment that holds the secrets. Absent: the environment of this process. */
	readonly env?: Environment
	/** Absent: this machine only. */
	readonly host?: string
	/** Absent, or 0: any that is free. */
	readonly port?: number
	/** A listening socket that another process keeps open, instead of `host` and `port`. */
	readonly socket?: Socket
	/** Takes the log's lines. Absent: standard output, as JSON. */
	log?(line: LogLine): void
	/** Sees what the gateway does. */
	readonly observer?: Observer
}

/** A gateway that listens. */
export interface Gateway {
	readonly url: string
	/** Where metrics are read. Absent: nowhere. */
	readonly metricsUrl?: string
	/** As the newest configuration has them. */
	readonly routes: readonly Route[]
	readonly runtime: Runtime
	/**
	 * Applies another configuration to later calls; turns in progress finish with the one they started with. State,
	 * connections to upstreams and the outbox are kept. `changed`: other adapters, or another environment. Throws a
	 * ConfigError, and changes nothing, if the configuration is invalid or changes the outbox, the metrics or the
	 * state, which are opened only once.
	 */
	reload(config: unknown, changed?: Partial<Pick<ServeOptions, 'adapters' | 'env'>>): void
	/** Accepts no new turns, and gives those in progress at most ten seconds to finish. */
	close(): Promise<void>
}

/** Parts of the configuration that a reload cannot change. */
const openedOnce = ['outbox', 'metrics', 'state'] as const

/** Milliseconds until whatever is left is cut off. */
const drainLimit = 10_000

/**
 * Starts a gateway. Rejects with a ConfigError, an OutboxError, a DatabaseUnusable or a SocketUnusable; with the system's
 * error if it cannot listen; with an AddressUnusable if its metrics cannot.
 */
export async function serve(options: ServeOptions): Promise<Gateway> {
	const { config, adapters, env = process.env, host = '127.0.0.1', port = 0, socket, log, observer } = options
	const place = socket ?? { host, port }
	const context: ConfigContext = { adapters, env, loopback: isLocal(place), demo }
	const first = readConfig(config, context)
	const { outbox: settings, metrics: metricsSettings, state: stateSettings, limits } = first
	let { routes } = first
	const metrics = metricsSettings && (await openMetrics(metricsSettings, settings, stateSettings, () => routes))
	const observers = [observer, metrics?.observer, await openTracing()]
	const watching = combineObservers(observers.filter((each) => each !== undefined))
	const own: NodeRuntime = { ...createRuntime(log?.bind(options)), ...(watching && { observer: watching }) }
	const shared = stateSettings && (await openState(stateSettings, own))
	const lent: NodeRuntime = shared ? { ...own, state: shared.state } : own
	const closeOpened = async (cause: unknown) => {
		await shared?.close()
		await metrics?.close()
		throw cause
	}
	const outbox = settings && (await openOutbox(settings, () => routes, lent).catch(closeOpened))
	const runtime: Runtime = outbox ? { ...lent, outbox } : lent
	const warn = (warnings: readonly string[]) => {
		for (const warning of warnings) runtime.log({ level: 'warn', msg: 'config', warning })
	}
	warn(first.warnings)

	let draining = false
	const refused = createRejectionLog(runtime)
	const bodyBudget = createBodyBudget(limits.bodiesAtOnce ?? defaults.bodiesAtOnce.value)
	const respond = (answer: WireResponse, env: unknown): Response => {
		if (!isExchange(env)) return toResponse(answer)
		if (env.incoming.method === 'HEAD') {
			if (draining) env.outgoing.setHeader('connection', 'close')
			// Hono makes another Response of it, without the body.
			return toResponse(answer)
		}
		sendAnswer(answer, env, draining)
		return RESPONSE_ALREADY_SENT
	}
	const meanwhile = (env: unknown): Response | undefined =>
		isExchange(env) && env.incoming.method !== 'HEAD' ? RESPONSE_ALREADY_SENT : undefined
	// A state that is away does not count: turns go on without it.
	const ready = () => !draining && (outbox?.canStore() ?? true)
	const appOf = (routes: readonly Route[]) =>
		createApp({ routes, runtime, ready, bodyBudget, bodyOf, headOf, contract, respond, meanwhile })
	let app = appOf(routes)
	const reload: Gateway['reload'] = (config, others) => {
		const next = readConfig(config, { ...context, ...others })
		const changed = openedOnce.filter((part) => !isDeepStrictEqual(next[part], first[part]))
		if (changed.length > 0) {
			throw new ConfigError(changed.map((part) => `${part}: cannot be changed while the gateway runs; restart it`))
		}
		// All of it is there before any of it counts.
		;[routes, app] = [next.routes, appOf(next.routes)]
		bodyBudget.limit = next.limits.bodiesAtOnce ?? defaults.bodiesAtOnce.value
		warn(next.warnings)
		runtime.log({ level: 'info', msg: 'reload', routes: routes.length })
	}
	const take = getRequestListener((request, env) => app.fetch(request, env), { hostname: 'localhost' })
	const pipeline = serializePipelining(rejectAmbiguous(take, (code) => refused(code, undefined)))
	const listener = await listen(place, pipeline).catch(async (cause: unknown) => {
		await outbox?.close(0)
		return await closeOpened(cause)
	})

	const close = async (): Promise<void> => {
		draining = true
		const until = performance.now() + drainLimit
		outbox?.drain()
		await listener.close(drainLimit)
		await metrics?.close()
		await outbox?.close(Math.max(0, until - performance.now()))
		await lent.close(Math.max(0, until - performance.now()))
		await shared?.close()
	}
	let closing: Promise<void> | undefined
	return {
		url: listener.url,
		...(metrics && { metricsUrl: `${metrics.url}/metrics` }),
		get routes() {
			return routes
		},
		runtime,
		reload,
		close: () => (closing ??= close()),
	}
}

/** Loads what describes a contract only when it is wanted. */
async function contract(route: Route): Promise<object> {
	const { routeContract } = await import('./route-contract.ts')
	return routeContract(route)
}

/** Loads what measures only when it is wanted. */
async function openMetrics(
	settings: MetricsSettings,
	outbox: OutboxSettings | undefined,
	state: StateSettings | undefined,
	routes: () => readonly Route[],
): Promise<OpenMetrics> {
	const { openMetrics } = await import('./metrics/open-metrics.ts')
	return openMetrics(settings, routes, outbox, state !== undefined)
}

/** Loads what shares the state only when it is wanted. */
async function openState(settings: StateSettings, runtime: Runtime): Promise<SharedState> {
	const { openState } = await import('./state/open-state.ts')
	return openState(settings, runtime)
}

function isExchange(env: unknown): env is Exchange {
	return typeof env === 'object' && env !== null && 'outgoing' in env && 'incoming' in env
}

// Not the Request's body, unless it has to be: that makes a stream around the parser.
function bodyOf(request: Request, env: unknown): ByteSource {
	return isExchange(env) ? incomingSource(env.incoming) : streamSource(request.body)
}

// Straight from the parser: the Request's own URL has lost its dots, and building a Headers object is slow.
function headOf(request: Request, env: unknown): RequestHead {
	if (!isExchange(env)) return { target: new URL(request.url).pathname, headers: [] }
	const { rawHeaders } = env.incoming
	const headers: [string, string][] = []
	for (let i = 0; i < rawHeaders.length; i += 2) {
		headers.push([(rawHeaders[i] ?? '').toLowerCase(), rawHeaders[i + 1] ?? ''])
	}
	return { target: targetOf(env.incoming), headers }
}
