/** The context of one turn: its id, its limits of time, and what is known of it so far. */
import type { GatewayError } from '../errors.ts'
import type { FitContext } from '../fit/index.ts'
import type { NamedAdapter, WireRequest } from '../format/index.ts'
import { type CanonicalEvent, type Change, type ReplyFeature, replyFeatures, type Turn } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { Delivery, Runtime } from '../runtime.ts'
import { answerMargin, defaultDeadline, upstreamMargin } from './deadlines.ts'
import { redactCall } from './redact.ts'

/** Filled in along the data path; read by the log. */
export interface TurnContext extends FitContext {
	readonly route: Route
	/** Monotonic milliseconds, as `Runtime.elapsed`. */
	readonly startedAt: number
	/** When the answer has left the gateway; monotonic. */
	readonly answerBy: number
	/** When the upstream has answered, for the platform waits; monotonic. */
	readonly upstreamUntil: number
	/** When it has answered where a holding reply can leave before; monotonic, and maybe after `answerBy`. */
	readonly lateUntil: number
	/** When the holding reply leaves, on a route that has one; else as `answerBy`. Monotonic. */
	readonly holdAt: number
	platform: NamedAdapter
	event?: CanonicalEvent
	/** What the conversation is remembered by. Undefined when the event names none: its choices are not remembered. */
	conversation?: string
	remembers: boolean
	/** The call came before; its answer was remembered. */
	duplicate?: true
	/** The upstream was late: the platform got the holding reply. */
	held?: true
	/** Late answers that stand before this turn's. */
	recalled?: number
	/** What the event lost on its way to the upstream, then what the reply lost on its way back; the first of many. */
	readonly changes: Change[]
	/** How many more there were. */
	moreChanges: number
	upstreamStatus?: number
	error?: GatewayError
}

/** A new turn of a call that was handed over at `startedAt`. */
export function beginTurn(route: Route, startedAt: number, runtime: Runtime): TurnContext {
	const [platform] = route.platforms
	// Whose call it is, is known when it is decoded.
	const deadline = Math.min(...route.platforms.map(({ adapter }) => adapter.deadline ?? defaultDeadline))
	const answerBy = startedAt + deadline - answerMargin
	const { holding, upstream } = route
	const lateUntil = startedAt + upstream.timeout
	return {
		turnId: runtime.newId(),
		receivedAt: new Date(runtime.now() - (runtime.elapsed() - startedAt)).toISOString(),
		route,
		startedAt,
		answerBy,
		upstreamUntil: Math.min(answerBy - upstreamMargin, lateUntil),
		lateUntil,
		holdAt: holding ? startedAt + holding.after : answerBy,
		platform,
		remembers: false,
		changes: [],
		moreChanges: 0,
	}
}

/** Changes that are kept of a turn: a hostile body can cause hundreds of thousands. */
const maxChanges = 500

/** Keeps changes in the turn's record, and counts those beyond its bound. */
export function recordChanges(turn: TurnContext, changes: readonly Change[]): void {
	const kept = changes.slice(0, maxChanges - turn.changes.length)
	turn.changes.push(...kept)
	turn.moreChanges += changes.length - kept.length
}

/** What the upstream is told of the turn. */
export function describeTurn(turn: TurnContext, event: CanonicalEvent, call: WireRequest): Turn {
	const reply = turn.platform.adapter.reply(event)
	return {
		id: turn.turnId,
		route: turn.route.name,
		platform: turn.platform.name,
		receivedAt: turn.receivedAt,
		answer: reply ? 'now' : 'never',
		...(reply && { answerBy: new Date(Date.parse(turn.receivedAt) + turn.holdAt - turn.startedAt).toISOString() }),
		carries: replyFeatures.filter((feature: ReplyFeature) => reply?.carries[feature]),
		changes: [...turn.changes],
		...(turn.route.raw && { raw: redactCall(call, turn.route.secrets) }),
	}
}

/** What is stored of the turn when nobody waits for its answer. */
export function deliveryOf(turn: TurnContext, request: WireRequest): Delivery {
	return {
		id: turn.turnId,
		route: turn.route.name,
		platform: turn.platform.name,
		receivedAt: turn.receivedAt,
		...(turn.conversation !== undefined && { conversation: turn.conversation }),
		request,
	}
}
