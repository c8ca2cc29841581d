/** One attempt to deliver an accepted event to its upstream: within a limit of time, with one line in the log. */
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Route } from '../route.ts'
import type { Delivery, Runtime } from '../runtime.ts'
import { type Timers, timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { type Outcome, outcomeOfFailure } from './outcome.ts'
import type { History, Schedule } from './schedule.ts'

/** An accepted event as its store hands it out. */
export interface AcceptedEvent extends History {
	readonly delivery: Delivery
}

/** Time as a store counts it. */
export interface Clock extends Timers {
	/** Milliseconds since 1970. */
	now(): number
}

export interface DeliveryContext {
	/** The routes as they are now. */
	routes(): readonly Route[]
	readonly schedule: Schedule
	readonly runtime: Runtime
	readonly clock: Clock
	/** A random number from 0 to 1. */
	random(): number
	/** More fields for the log's line. */
	readonly logFields?: { readonly [field: string]: string }
}

/** Milliseconds that a delivery may take beyond the upstream's own limit before it counts as failed. */
const overtime = 5000

/** Delivers an event, or tells what follows from the failure. Never rejects. A postponement is no line in the log. */
export async function attempt(event: AcceptedEvent, context: DeliveryContext): Promise<Outcome> {
	const { runtime, clock, schedule } = context
	const { id: turn, route } = event.delivery
	const startedAt = runtime.elapsed()
	const line = { msg: 'delivery', turn, route, attempt: event.failed + 1, ...context.logFields }
	const ms = () => Math.round(runtime.elapsed() - startedAt)
	try {
		await deliver(event.delivery, context)
		runtime.log({ ...line, level: 'info', ms: ms() })
		return { result: 'delivered' }
	} catch (thrown) {
		const error = asGatewayError(thrown)
		const now = clock.now()
		const outcome = outcomeOfFailure(error, event, schedule, now, context.random())
		const failure = { ...line, error: error.code, upstreamStatus: error.context.upstreamStatus, ms: ms() }
		if (outcome.result === 'failed') runtime.log({ ...failure, level: 'warn', nextIn: outcome.nextAt - now })
		if (outcome.result === 'dead') runtime.log({ ...failure, level: 'error', dead: true })
		return outcome
	}
}

/**
 * Resolves when the upstream took the event, whatever it answered: no platform waits for that. Every attempt has the same
 * id and the same body; the signature is made anew.
 */
async function deliver({ id, route: name, request }: Delivery, context: DeliveryContext): Promise<void> {
	const { routes, runtime, clock } = context
	const route = routes().find((each) => each.name === name)
	if (!route) throw new GatewayError('not-found')
	const { upstream } = route
	const until = runtime.elapsed() + upstream.timeout
	// The schedule repeats the call, and calls are repeated in one place only.
	const calling = callUpstream(upstream, request, { id, until, repeat: 'nothing', reads: 'status' }, runtime)
	const outcome = await withTimeout(upstream.timeout + overtime, calling, clock)
	if (outcome === timedOut) throw new GatewayError('upstream-timeout')
}
