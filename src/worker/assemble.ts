/** The gateway of this isolate: the bundled configuration and the bindings become routes, a runtime and an app, once. */
import { adapters } from '#adapters'
import config from '#gateway-config'
import { ConfigError, readConfig } from '../config/index.ts'
import { attempt, type Clock, type DeliveryContext, defaultDeadRetention, defaultSchedule } from '../delivery/index.ts'
import { asGatewayError } from '../errors.ts'
import { createApp, createBodyBudget } from '../http/index.ts'
import { limits as defaults } from '../limits.ts'
import { systemTimers } from '../timeout.ts'
import { demo } from '../upstream/index.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'
import { createRuntime } from './worker-runtime.ts'

interface Gateway {
	readonly app: ReturnType<typeof createApp>
	/** With what deliveries are attempted. */
	readonly delivering: DeliveryContext
	/** Milliseconds that a dead letter is kept in its conversation's object. */
	readonly deadRetention: number
}

const clock: Clock = { now: () => Date.now(), ...systemTimers }

let assembled: { readonly gateway: Gateway | undefined } | undefined

/** The gateway; undefined when the configuration cannot be used: then the log has one line with every mistake. */
export function assembledGateway(bindings: Bindings): Gateway | undefined {
	// A failure stays as well: configuration and secrets change with a new version, and so in a new isolate.
	assembled ??= { gateway: assembleOrLog(bindings) }
	return assembled.gateway
}

function assembleOrLog(bindings: Bindings): Gateway | undefined {
	try {
		return assemble(bindings)
	} catch (thrown) {
		const mistakes = thrown instanceof ConfigError ? thrown.mistakes : undefined
		const cause = mistakes || !(thrown instanceof Error) ? undefined : thrown.stack
		log({ level: 'error', msg: 'config', error: asGatewayError(thrown).code, mistakes, cause })
		return undefined
	}
}

// At the first call and not when the module is loaded: bindings, and with them secrets, come with a call.
function assemble(bindings: Bindings): Gateway {
	const secrets = Object.entries(bindings).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
	const env = Object.fromEntries(secrets)
	const { routes, outbox, metrics, state, limits, warnings } = readConfig(config, {
		adapters,
		env,
		loopback: false,
		hasOutbox: true,
		demo,
	})
	const runtime = createRuntime(bindings, (accepted, underWay) => attempt(accepted, delivering, underWay))
	const schedule = outbox ?? defaultSchedule
	const delivering: DeliveryContext = { routes: () => routes, schedule, runtime, clock, random: Math.random }
	const differs = [
		...(outbox ? ['outbox: only "schedule", "expiry" and "retention.dead" have an effect on a Worker'] : []),
		...(metrics ? ['metrics: has no effect on a Worker, whose metrics need the binding METRICS'] : []),
		...(state ? ['state: has no effect on a Worker, which shares it anyway'] : []),
		...(routes.some(({ upstream }) => upstream.onlyPublic)
			? ['public: is enforced only for IP addresses in URLs: a Worker cannot see what a name resolves to']
			: []),
	]
	const bodyBudget = createBodyBudget(limits.bodiesAtOnce ?? defaults.bodiesAtOnceOnWorkers.value)
	for (const warning of [...warnings, ...differs]) runtime.log({ level: 'warn', msg: 'config', warning })
	return {
		app: createApp({ routes, runtime, bodyBudget }),
		delivering,
		deadRetention: outbox?.retention.dead ?? defaultDeadRetention,
	}
}
