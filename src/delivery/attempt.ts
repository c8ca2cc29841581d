/** One attempt to make a delivery: within a limit of time, with one line in the log. */
import { asGatewayError, type ErrorCode, GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import type { Route } from '../route.ts'
import type { Delivery, EventDelivery, PushDelivery, Runtime } from '../runtime.ts'
import { type Timers, timedOut, withTimeout } from '../timeout.ts'
import { namesOfLosses, type PushedEvent, planAnswer, planFailure } from '../turn/index.ts'
import { callUpstream } from '../upstream/index.ts'
import { type DeliveryObservation, observeDelivery } from './observe-delivery.ts'
import { type Outcome, outcomeOfFailure } from './outcome.ts'
import { pushCall } from './push-call.ts'
import type { History, Schedule } from './schedule.ts'

/** What its store hands out to be delivered. */
export interface Accepted extends History {
	readonly delivery: Delivery
	/** An attempt was under way when its process ended, so that nobody knows how it went. */
	readonly interrupted: boolean
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

/** What a delivery that was made leaves behind. */
interface Done {
	/** The calls that push the reply. */
	readonly pushes?: readonly PushDelivery[]
	/** More fields for the log's line. */
	readonly logFields?: { readonly [field: string]: unknown }
}

/** Milliseconds that a delivery may take beyond the limit of what it calls before it counts as failed. */
const overtime = 5000

/**
 * Makes a delivery, or tells what follows from the failure. Never rejects. A postponement is no line in the log.
 * `underWay`: the event is being sent to the upstream already, and this will be the answer.
 */
export async function attempt(
	accepted: Accepted,
	context: DeliveryContext,
	underWay?: Promise<WireResponse>,
): Promise<Outcome> {
	const { runtime, clock, schedule } = context
	const { delivery } = accepted
	const { id: turn, route: name } = delivery
	const startedAt = runtime.elapsed()
	const line = { msg: 'delivery', turn, route: name, attempt: accepted.failed + 1, ...context.logFields }
	const ms = () => Math.round(runtime.elapsed() - startedAt)
	const observed = runtime.observer?.delivery && observeDelivery(accepted, runtime)
	const route = context.routes().find((each) => each.name === name)
	try {
		if (!route) throw new GatewayError('not-found')
		const { pushes, logFields } = await deliver(accepted, route, context, observed, underWay)
		runtime.log({ ...line, level: 'info', ...logFields, ms: ms() })
		observed?.end('delivered')
		return { result: 'delivered', ...(pushes && { pushes }) }
	} catch (thrown) {
		const error = asGatewayError(thrown)
		const now = clock.now()
		const final = route !== undefined && isFinal(error, delivery, route)
		const outcome = outcomeOfFailure(error, accepted, schedule, now, context.random(), final)
		observed?.end(outcome.result, error.code)
		const { code, context: details } = error
		const why = { error: code, because: details.because, upstreamStatus: details.upstreamStatus }
		const failure = { ...line, ...why, apiStatus: details.apiStatus, ms: ms() }
		if (outcome.result === 'failed') runtime.log({ ...failure, level: 'warn', nextIn: outcome.nextAt - now })
		if (outcome.result !== 'dead') return outcome
		runtime.log({ ...failure, level: 'error', dead: true })
		return route && isPushed(delivery) ? { ...outcome, pushes: planFailure(delivery, route) } : outcome
	}
}

async function deliver(
	{ delivery, interrupted }: Accepted,
	route: Route,
	{ runtime, clock }: DeliveryContext,
	observed: DeliveryObservation | undefined,
	underWay: Promise<WireResponse> | undefined,
): Promise<Done> {
	if ('call' in delivery) {
		await pushCall(delivery, route, runtime, observed?.call)
		return {}
	}
	if (interrupted && !mayCallAgain(delivery, route)) throw new GatewayError('late-answer-lost')
	const response = await (underWay ?? callAgain(delivery, route, observed, runtime, clock))
	if (!isPushed(delivery)) return {}
	const { deliveries: pushes, changes } = await planAnswer(delivery, route, response, runtime)
	observed?.pushed(route, response, pushes)
	return { pushes, logFields: { pushes: pushes.length, changes: namesOfLosses(route, changes) } }
}

/**
 * The answer of the upstream when it took the event, with a body only if the reply is pushed. Every attempt has the same
 * id and the same body; the signature is made anew.
 */
async function callAgain(
	delivery: EventDelivery,
	{ upstream }: Route,
	observed: DeliveryObservation | undefined,
	runtime: Runtime,
	clock: Clock,
): Promise<WireResponse> {
	const until = runtime.elapsed() + upstream.timeout
	const reads = delivery.answer ? 'reply' : 'status'
	// The schedule repeats the call, and calls are repeated in one place only.
	const limits = { id: delivery.id, until, repeat: 'nothing', reads, observe: observed?.call } as const
	const calling = callUpstream(upstream, delivery.request, limits, runtime)
	const response = await withTimeout(upstream.timeout + overtime, calling, clock)
	if (response === timedOut) throw new GatewayError('upstream-timeout')
	return response
}

function isPushed(delivery: Delivery): delivery is PushedEvent {
	return 'request' in delivery && delivery.answer !== undefined
}

/** What is wrong with a reply: the upstream took the event, and would take it again. */
const ofReply: ReadonlySet<ErrorCode> = new Set([
	...(['upstream-reply-invalid', 'upstream-reply-too-large', 'reply-does-not-fit', 'push-refused'] as const),
])
/** What another attempt at a push may mend. */
const passing: ReadonlySet<ErrorCode> = new Set(['push-failed', 'internal'])

/** Whether another attempt would be in vain, or would do harm. */
function isFinal({ code, unsent }: GatewayError, delivery: Delivery, route: Route): boolean {
	if ('call' in delivery) return !passing.has(code)
	if (!delivery.answer) return false
	return ofReply.has(code) || !(unsent || mayCallAgain(delivery, route))
}

/** Whether an event may be sent to the upstream although it may have come there: a user is waiting for the answer to one call. */
function mayCallAgain({ answer }: EventDelivery, { idempotent }: Route): boolean {
	return !answer?.held || idempotent
}
