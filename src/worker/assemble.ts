/** The gateway of this isolate: the bundled configuration and the bindings become routes, a runtime and an app, once. */
import config from '#gateway-config'
import { adapters } from '../../adapters/index.ts'
import { readConfig } from '../config/index.ts'
import { createApp } from '../http/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { demo } from '../upstream/index.ts'
import type { Bindings } from './bindings.ts'
import { createRuntime } from './worker-runtime.ts'

interface Gateway {
	readonly app: ReturnType<typeof createApp>
	readonly routes: readonly Route[]
	readonly runtime: Runtime
}

let gateway: Gateway | undefined

/** Throws a ConfigError with every mistake; its log lines have all of them. */
export function assembledGateway(bindings: Bindings): Gateway {
	gateway ??= assemble(bindings)
	return gateway
}

// At the first call and not when the module is loaded: bindings, and with them secrets, come with a call.
function assemble(bindings: Bindings): Gateway {
	const secrets = Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
	const env = Object.fromEntries(secrets)
	const { routes, outbox, warnings } = readConfig(config, { adapters, env, loopback: false, demo })
	const runtime = createRuntime(bindings)
	const differs = [
		...(outbox ? ['outbox: has no effect: a Worker stores events in its Durable Objects and its queue'] : []),
		...(routes.some(({ upstream }) => upstream.onlyPublic)
			? ['public: is enforced only for IP addresses in URLs: a Worker cannot see what a name resolves to']
			: []),
	]
	for (const warning of [...warnings, ...differs]) runtime.log({ level: 'warn', msg: 'config', warning })
	return { app: createApp({ routes, runtime }), routes, runtime }
}
