/**
 * What somebody outside sees of the gateway's work while it happens: metrics, a trace, a live view. An observer changes
 * nothing, apart from the trace that a call to the upstream is part of.
 */
import type { ErrorCode } from '../errors.ts'
import type { CanonicalEvent, Change, Json } from '../model/index.ts'

/**
 * Sees what the gateway does. Each member may be absent: then nothing is prepared for it. They are called in the middle of
 * the work, so they return at once. One that throws sees nothing more of that piece of work, and the log says so; the
 * work itself goes on.
 *
 * Nothing that an observer gets holds a secret of the configuration. The values of steps hold what users and backends
 * wrote; all the rest holds names, numbers and codes.
 */
export interface Observer {
	/** A platform's call has begun a turn. Returns what sees the rest of it; undefined: nothing does. */
	turn?(begun: BegunTurn): TurnObserver | undefined
	/** A backend has sent a reply by itself. As `turn`; its steps are `call`, `reply` and `answer`. */
	postedReply?(begun: BegunReply): TurnObserver | undefined
	/** An attempt to deliver what the outbox holds has begun. As `turn`. */
	delivery?(begun: BegunDelivery): DeliveryObserver | undefined
	/** A call was refused before it began a turn. */
	refusal?(refusal: Refusal): void
	/** The state that several Nodes share could not be used: turns go on. */
	stateFailure?(failure: StateFailure): void
}

/** W3C Trace Context, level 1: what a call says about the trace that it is part of. */
export interface TraceContext {
	readonly traceparent: string
	readonly tracestate?: string | undefined
}

/** A reply that a backend sent by itself. */
export interface BegunReply {
	readonly id: string
	/** Name of the route. */
	readonly route: string
	/** Name of the platform's adapter. */
	readonly platform: string
	/** The trace that its call is part of, if it says so in valid form. */
	readonly trace: TraceContext | undefined
}

export interface BegunTurn extends Omit<BegunReply, 'platform'> {
	/** Name of the upstream's adapter. */
	readonly upstream: string
	/** Method of the platform's call. */
	readonly method: string
	/** How long ago its call was handed over: it has been read since. Milliseconds. */
	readonly at: number
	/** Milliseconds from the platform's call until its answer must have left. */
	readonly limit: number
}

/** Sees the rest of one turn. All times are milliseconds since the call was handed over. */
export interface TurnObserver {
	/** A step has been done, in the order of `StepName`. A turn that fails, or is a duplicate, leaves some of them out. */
	step?(step: Step): void
	/** An attempt to call the upstream begins; there may be several in a turn. Returns what sees its end. */
	call?(call: UpstreamCall): CallObserver | undefined
	/** The answer is ready to be sent. Comes once. */
	end?(outcome: TurnOutcome): void
	/** The reply of a turn that was held has come, or has failed: after `end`. Comes once, unless an outbox waits for it. */
	late?(outcome: LateOutcome): void
}

/**
 * The steps of a turn: the platform's call; the event in it; the same with the choice that a label or a number stood
 * for, if it did; the event as the upstream can take it; the request to the upstream, unsigned; the upstream's response;
 * the reply in it, or the holding reply, with late replies before it; the same as the platform can show it; the
 * platform's answer. Of an event in the outbox, once it is delivered: the upstream's response, if its reply is pushed,
 * and the calls that push it.
 */
export type StepName =
	| 'call'
	| 'event'
	| 'recalled-event'
	| 'fitted-event'
	| 'request'
	| 'response'
	| 'reply'
	| 'fitted-reply'
	| 'answer'
	| 'pushes'

/** What a turn has come to. */
export interface Step {
	readonly name: StepName
	/** When. */
	readonly at: number
	/**
	 * The value, with `[redacted]` for whatever contains a secret or has the name of one: an event or a reply of the
	 * model; a request as `turn.raw` has it; a response as its status and its body; a call of a push without its headers.
	 * Made when asked for, also later.
	 */
	show(): Json
}

/** One attempt to call an endpoint of the upstream, or the API of a platform. */
export interface UpstreamCall {
	readonly method: string
	/** Without the path, which may hold secrets. Absent: the upstream runs inside the gateway. */
	readonly origin: string | undefined
}

/** Sees the rest of one attempt. */
export interface CallObserver {
	/** Sent with the call as its headers `traceparent` and `tracestate`. Absent: neither is sent. */
	readonly trace?: TraceContext | undefined
	/** It was answered, or has failed. It may come after the turn has ended. */
	end?(outcome: CallOutcome): void
}

export interface CallOutcome {
	/** Of the response. Absent: there was none. */
	readonly status: number | undefined
	/** Absent: it succeeded. */
	readonly error: ErrorCode | undefined
}

export interface TurnOutcome {
	readonly at: number
	/** Name of the platform's adapter: the first of the route, where no format was recognised. */
	readonly platform: string
	/** Absent: the event was not decoded. */
	readonly kind: CanonicalEvent['kind'] | undefined
	/** Of the answer to the platform. */
	readonly status: number
	/** Absent: the turn succeeded. */
	readonly error: ErrorCode | undefined
	/** The call came before, and got the answer that it got then. */
	readonly duplicate: boolean
	/** The upstream was late: the platform got the holding reply. */
	readonly held: boolean
	/** How many late replies were put before this one. */
	readonly recalled: number
	/** What was changed on the way to the upstream and back, losses first, at most 500. */
	readonly changes: readonly Change[]
	/** How many more there were. */
	readonly moreChanges: number
	/** What the operator should check. */
	readonly notes: readonly string[]
}

export interface LateOutcome {
	readonly at: number
	/** `kept` for the conversation's next reply, `dropped`, or `failed`. */
	readonly did: 'kept' | 'dropped' | 'failed'
	readonly error: ErrorCode | undefined
}

/** An attempt to deliver what the outbox holds. */
export interface BegunDelivery {
	/** The turn's id, with a number behind it for a call of a push. */
	readonly id: string
	readonly route: string
	readonly platform: string
	/** An event goes to the upstream, a push to the platform's API. */
	readonly to: 'upstream' | 'platform'
	/** 1 for the first attempt. */
	readonly attempt: number
}

/** Sees the rest of one attempt to deliver. */
export interface DeliveryObserver {
	/** Of an event whose reply is pushed: `response` and `pushes`, when both are there. The times are those of the attempt. */
	step?(step: Step): void
	/** As for a turn. Of a push: a call to the platform's API, or the lookup before it, which pass no trace on. */
	call?(call: UpstreamCall): CallObserver | undefined
	end?(outcome: DeliveryOutcome): void
}

export interface DeliveryOutcome {
	/** `postponed`: nothing was called, and the attempt does not count. `dead`: there is no other attempt. */
	readonly result: 'delivered' | 'failed' | 'postponed' | 'dead'
	readonly error: ErrorCode | undefined
	/** Milliseconds that the attempt took. */
	readonly ms: number
}

/** A call that began no turn. */
export interface Refusal {
	readonly error: ErrorCode
	/** Absent: it was for no route. */
	readonly route: string | undefined
}

/** What a turn goes on without; or what is no part of a turn: `forget`. */
export interface StateFailure {
	/**
	 * `begin`: the answer to a repeated call, and open choices; `settle`: that they are remembered; `forget`: that what is too
	 * old to be remembered is deleted.
	 */
	readonly did: 'begin' | 'settle' | 'addLateReply' | 'takeLateReplies' | 'forget'
}
