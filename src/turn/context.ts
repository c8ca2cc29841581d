/** The context of one turn: its id, its time limits, and its description for the upstream. */
import type { FitContext } from '../fit/index.ts'
import type { Json, NamedAdapter, ReplyLeg, WireRequest } from '../format/index.ts'
import { type CanonicalEvent, type ReplyFeature, replyFeatures, type Turn } from '../model/index.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { PickedSet, Runtime } from '../runtime.ts'
import type { CallLimits } from '../upstream/index.ts'
import { type Observation, observeTurn } from './observation.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { pushTarget } from './push.ts'
import { describeCall } from './redact.ts'
import type { SecretFinder } from './secret-finder.ts'

/** What is known about a turn from its beginning. */
export interface TurnContext {
	readonly turnId: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** RFC 3339: when the answer leaves at the latest, or the holding reply on a route that has one. */
	readonly replyBy: string
	readonly route: PreparedRoute
	/** When the platform's call was handed over. Monotonic milliseconds, as `Runtime.elapsed`; so are those below. */
	readonly startedAt: number
	/** When the answer has left the gateway. */
	readonly answerBy: number
	/** When the holding reply leaves, on a route that has one; else as `answerBy`. */
	readonly holdAt: number
	/** Undefined: nobody watches. */
	readonly observed: Observation | undefined
}

/** The event of a turn, and where its answer goes. */
export interface Received {
	readonly platform: NamedAdapter
	readonly event: CanonicalEvent
	/** The key of its conversation in the state. Undefined when the event names none: then nothing is remembered. */
	readonly conversation: string | undefined
	/** The set of choices that the event picked one of. */
	readonly picked?: PickedSet
	/** Undefined: the platform reads no answer to this event. */
	readonly leg: ReplyLeg | undefined
	/** Where replies to this event can be pushed, as in `Push`; undefined: nowhere. */
	readonly address: Json | undefined
}

/** A new turn, whose call was handed over at `startedAt`. */
export function beginTurn(route: PreparedRoute, call: WireRequest, startedAt: number, runtime: Runtime): TurnContext {
	const { newId, now, elapsed, observer } = runtime
	const turnId = newId()
	const receivedAt = now() - (elapsed() - startedAt)
	return {
		turnId,
		receivedAt: rfc3339(receivedAt),
		replyBy: rfc3339(receivedAt + route.limits.hold),
		route,
		startedAt,
		answerBy: startedAt + route.limits.answer,
		holdAt: startedAt + route.limits.hold,
		observed: observer?.turn && observeTurn(turnId, route, call, startedAt, runtime),
	}
}

/** What fit needs to know about the turn that this event began. */
export function fitContextOf({ turnId, receivedAt, route }: TurnContext, { conversation }: CanonicalEvent): FitContext {
	return { turnId, receivedAt, decodedFrom: route.upstream.name, remembers: conversation !== undefined }
}

/** Limits of the call to the upstream, where its reply is the answer. A holding reply may leave before it. */
export function replyLimits(turn: TurnContext): CallLimits {
	const { lateUpstream, upstream } = turn.route.limits
	return callLimits(turn, turn.route.holding ? lateUpstream : upstream, 'reply')
}

/** Limits of the call to the upstream, where the platform reads no answer and only waits until the event is taken. */
export function acceptanceLimits(turn: TurnContext): CallLimits {
	return callLimits(turn, turn.route.limits.upstream, 'status')
}

function callLimits(turn: TurnContext, limit: number, reads: CallLimits['reads']): CallLimits {
	const { turnId, route, startedAt, observed } = turn
	const repeat = route.idempotent ? 'unanswered' : 'unsent'
	return { id: turnId, until: startedAt + limit, repeat, reads, observe: observed?.call }
}

const carriedFeatures = new WeakMap<ReplyLeg['carries'], readonly ReplyFeature[]>()

/** The names of what a leg carries; none without a leg. Legs are made for each event, but most with the same features. */
function featuresOf(carries: ReplyLeg['carries'] | undefined): readonly ReplyFeature[] {
	if (!carries) return []
	const known = carriedFeatures.get(carries)
	if (known) return known
	const features = replyFeatures.filter((feature: ReplyFeature) => carries[feature])
	carriedFeatures.set(carries, features)
	return features
}

/** The turn as the upstream gets it. `changes` are what the event lost on its way; `hasSecret` finds what `raw` must not hold. */
export function describeTurn(
	{ turnId, receivedAt, replyBy, route }: TurnContext,
	call: WireRequest,
	{ platform, leg, address }: Received,
	{ changes, moreChanges = 0, replyUrl }: Pick<Turn, 'changes' | 'moreChanges' | 'replyUrl'>,
	hasSecret: SecretFinder,
): Turn {
	const pushed = leg || address === undefined ? undefined : pushTarget(platform, address).leg
	return {
		id: turnId,
		route: route.name,
		platform: platform.name,
		receivedAt,
		answer: leg ? 'now' : pushed ? 'push' : 'never',
		...(leg && { answerBy: replyBy }),
		carries: featuresOf((leg ?? pushed)?.carries),
		changes: [...changes],
		...(moreChanges > 0 && { moreChanges }),
		...(replyUrl !== undefined && { replyUrl }),
		...(route.raw && { raw: describeCall(call, hasSecret) }),
	}
}
