/** Shows an observer one turn, or one reply that a backend sent: without secrets, and with the time of each step. */
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Json } from '../model/index.ts'
import {
	type LateOutcome,
	type ObserveCall,
	observeCalls,
	type Step,
	type StepName,
	shield,
	type TraceContext,
	type TurnObserver,
	type TurnOutcome,
} from '../observer/index.ts'
import type { Route } from '../route.ts'
import type { PushDelivery, Runtime } from '../runtime.ts'
import { type PreparedRoute, prepareRoute } from './prepared-route.ts'
import { describeCall, describePushes, describeResponse, redactModel } from './redact.ts'
import { replyPath } from './reply-url.ts'
import type { SecretFinder } from './secret-finder.ts'

/** What the stages tell of their work. None of it throws. */
export interface Observation {
	/** A value of the model is there. */
	model(name: StepName, value: CanonicalEvent | CanonicalReply): void
	/** A request or a response is there. */
	wire(name: StepName, message: WireRequest | WireResponse): void
	/** Undefined: calls to the upstream are not observed. */
	readonly call: ObserveCall | undefined
	end(outcome: Omit<TurnOutcome, 'at'>): void
	late(outcome: Omit<LateOutcome, 'at'>): void
}

type Needs = Pick<Runtime, 'observer' | 'elapsed' | 'log'>

/** Begins to show a turn. Undefined: the observer does not look at it. */
export function observeTurn(
	id: string,
	route: PreparedRoute,
	call: WireRequest,
	startedAt: number,
	runtime: Needs,
): Observation | undefined {
	const { name, upstream, limits } = route
	const about = { id, route: name, trace: traceOf(call, route), upstream: upstream.name }
	const at = runtime.elapsed() - startedAt
	const begin = () => runtime.observer?.turn?.({ ...about, at, method: call.method, limit: limits.answer })
	const observation = observe(begin, route, startedAt, runtime)
	observation?.wire('call', call)
	return observation
}

/** Begins to show a reply that a backend sent. Undefined: the observer does not look at it. */
export function observeReply(
	{ id, route, platform }: { readonly id: string; readonly route: PreparedRoute; readonly platform: { name: string } },
	head: Pick<WireRequest, 'headers'>,
	startedAt: number,
	runtime: Needs,
): Observation | undefined {
	const about = { id, route: route.name, platform: platform.name, trace: traceOf(head, route) }
	return observe(() => runtime.observer?.postedReply?.(about), route, startedAt, runtime)
}

/** The steps of an event from the outbox whose reply is pushed. */
export function stepsOfPush(
	route: Route,
	response: WireResponse,
	pushes: readonly PushDelivery[],
): readonly Omit<Step, 'at'>[] {
	const hasSecret = hiddenIn(prepareRoute(route))
	return [
		{ name: 'response', show: () => describeResponse(response, hasSecret) },
		{ name: 'pushes', show: () => describePushes(pushes, hasSecret) },
	]
}

function observe(
	begin: () => TurnObserver | undefined,
	route: PreparedRoute,
	startedAt: number,
	{ elapsed, log }: Needs,
): Observation | undefined {
	const safely = shield(log)
	const seeing = safely(begin)
	if (!seeing) return undefined
	const at = () => elapsed() - startedAt
	const hasSecret = hiddenIn(route)
	const step = (name: StepName, show: () => Json) => safely(() => seeing.step?.({ name, at: at(), show }))
	return {
		model: (name, value) => step(name, () => redactModel(value, hasSecret)),
		wire: (name, message) =>
			step(name, () => ('status' in message ? describeResponse(message, hasSecret) : describeCall(message, hasSecret))),
		call: observeCalls(seeing, safely),
		end: (outcome) => safely(() => seeing.end?.({ at: at(), ...outcome })),
		late: (outcome) => safely(() => seeing.late?.({ at: at(), ...outcome })),
	}
}

/** Finds what must be hidden from observers: secrets, and URLs for replies, because anyone who has one can send a reply. */
function hiddenIn({ hasSecret }: PreparedRoute): SecretFinder {
	return (text) => hasSecret(text) || text.includes(replyPath)
}

/** Version 00 of the header, or a later version that starts the same way. An id of zeros alone is invalid. */
const traceparentForm = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-[!-~]{0,200})?$/
/** No longer than what every system must pass on. */
const tracestateForm = /^[ -~]{1,512}$/

/** The caller's trace context. It goes to the upstream, so a header with a secret in it is left out. */
function traceOf({ headers }: Pick<WireRequest, 'headers'>, { hasSecret }: PreparedRoute): TraceContext | undefined {
	const valuesOf = (wanted: string) => headers.filter(([name]) => name === wanted).map(([, value]) => value)
	const [traceparent, another] = valuesOf('traceparent')
	if (traceparent === undefined || another !== undefined || !traceparentForm.test(traceparent)) return undefined
	if (hasSecret(traceparent)) return undefined
	const tracestate = valuesOf('tracestate').join(',')
	return { traceparent, ...(tracestateForm.test(tracestate) && !hasSecret(tracestate) && { tracestate }) }
}
