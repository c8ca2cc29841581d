/** A route as the gateway runs it: its configuration with names resolved to adapters, secrets and an upstream, and its time limits. */
import type { Adapter, NamedAdapter, ReplyLeg } from './format/index.ts'
import type { CanonicalEvent, CanonicalReply } from './model/index.ts'
import type { Upstream } from './upstream/index.ts'

/** One reply for each language. The first is for every language that has none of its own; an empty list: nothing is configured. */
export type LocalizedReplies = readonly { readonly language?: string; readonly reply: CanonicalReply }[]

/** The holding reply of a route. */
export interface HoldingReply {
	/** Milliseconds after the platform's call. */
	readonly after: number
	readonly reply: LocalizedReplies
	/** What becomes of the late reply: it is put before the next reply of its conversation, pushed, or dropped. */
	readonly answer: 'next-turn' | 'push' | 'drop'
}

/** How URLs for replies are sealed. */
export interface ReplyUrlSettings {
	/** Keys of 32 bytes; the first seals, all of them open. */
	readonly keys: readonly [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]]
	/** Milliseconds that a URL can be used. */
	readonly expiry: number
}

export interface Route {
	readonly name: string
	/** Where the platform calls; an adapter without `auth` is called one segment deeper, the segment being the secret. */
	readonly path: string
	/** One, or several that share the URL: the first that recognises a call takes it. */
	readonly platforms: readonly [NamedAdapter, ...NamedAdapter[]]
	/** Any of them proves a call. None: the route is open. */
	readonly secrets: readonly string[]
	readonly upstream: Upstream
	/** `strict`: a value that must be changed to fit is an error. */
	readonly policy: 'degrade' | 'strict'
	/** What the user gets when the turn fails. */
	readonly failure: LocalizedReplies
	/** What the user gets when the upstream is late. Absent: the turn fails. */
	readonly holding?: HoldingReply
	/** The upstream treats calls with the same id as one, so that a call that got no response may be repeated. */
	readonly idempotent: boolean
	/** Bytes that the body of a call may have. Absent: as many as its adapters say. */
	readonly maxBody?: number
	/** The URL at which the gateway is reached from outside, without a slash at its end. Absent: it is not known. */
	readonly publicUrl?: string
	/** Absent, or without `publicUrl`: events have no URL for replies. */
	readonly replyUrl?: ReplyUrlSettings
	/** Answers carry the `dragoman-changes` header. */
	readonly debug: boolean
	/** The upstream gets the platform's call as it came, secrets redacted. */
	readonly raw: boolean
}

const plainestEvent: CanonicalEvent = { kind: 'message', attributes: {} }

/** How a format answers the plainest event, because several dialects of one format answer differently. Undefined: not at all. */
export function plainestReply(adapter: Adapter): ReplyLeg | undefined {
	return adapter.reply(plainestEvent)
}

/** Milliseconds that a platform is assumed to wait when its adapter does not say. */
const defaultDeadline = 10_000

/** Milliseconds before the platform's deadline by which the answer has left. */
const answerMargin = 1000

/** Milliseconds before the answer by which the upstream has answered: for decoding, fitting, encoding. */
const replyMargin = 500

/** Time limits of a route's turns, in milliseconds from the moment the platform's call was handed over. */
export interface TimeLimits {
	/** The answer has left the gateway. */
	readonly answer: number
	/** The upstream has answered, where the platform waits for its reply. */
	readonly upstream: number
	/** The upstream has answered, where a holding reply may leave before; this may be after `answer`. */
	readonly lateUpstream: number
	/** The holding reply leaves, on a route that has one; else as `answer`. */
	readonly hold: number
}

/** The limits of a route. Which of its platforms calls is known only once the call is decoded, so the shortest deadline counts. */
export function timeLimitsOf({
	platforms,
	upstream,
	holding,
}: Pick<Route, 'platforms' | 'upstream' | 'holding'>): TimeLimits {
	const answer = Math.min(...platforms.map(({ adapter }) => answerLimit(adapter)))
	return {
		answer,
		upstream: Math.min(answer - replyMargin, upstream.timeout),
		lateUpstream: upstream.timeout,
		hold: holding?.after ?? answer,
	}
}

/** Milliseconds that an upstream may take before a platform of this format gets its answer. */
export function longestUpstreamWait(adapter: Adapter): number {
	return answerLimit(adapter) - replyMargin
}

function answerLimit({ deadline = defaultDeadline }: Adapter): number {
	return deadline - answerMargin
}
