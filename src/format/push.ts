/** What a push is made of: a reply, or a change to a conversation, as calls to the platform's API instead of an HTTP answer. */
import type { CanonicalEvent, CanonicalReply, Json } from '../model/index.ts'
import type { Carries } from './carries.ts'
import type { ReplyLeg } from './leg.ts'
import type { Fields, WireRequest, WireResponse } from './wire.ts'

/** One call to a platform's API, as plain data that is stored until it is made. Holds no secret: the target adds that. */
export interface PushCall {
	/** Of HTTP. */
	readonly method: string
	/** What stands behind the API's base URL: begins with a slash, segments percent-encoded, perhaps with a query. */
	readonly path: string
	/** Names in lower case. */
	readonly headers: Fields
	/** Empty: the call has none. */
	readonly body: string
	/** What has to be found out before the call can be made. Absent: the call is complete. */
	readonly lookup?: PushLookup
}

/** A GET that comes before a call, to find out what the reply does not say, such as the id of something it names. */
export interface PushLookup {
	/** As in `PushCall`. */
	readonly path: string
	/** The name by which to search the answer. */
	readonly name: string
}

/** What an answer of the API means for the call. */
export type PushVerdict =
	| { readonly result: 'accepted' }
	/** `retry`: the same call may be accepted later. `refused`: it never will be. `reason`: the API's own words, at most a line. */
	| { readonly result: 'retry' | 'refused'; readonly reason?: string }

/** Where the pushes of one conversation go. */
export interface PushTarget {
	/** The API's base URL, without a slash at its end: from the adapter's options, and never from a call. */
	readonly api: string
	/** Headers of every call, the authorization among them, with names in lower case. */
	readonly headers: Fields
	/**
	 * A reply as calls, in the order in which they must be accepted: messages first, then what is set on the
	 * conversation, then what ends the bot's part in it.
	 */
	readonly leg: PushLeg
	/**
	 * Completes a call with the API's answer to its lookup. Undefined: the answer has no such name. Throws if it is no answer
	 * to a lookup. Absent: no call has one.
	 */
	complete?(call: PushCall, answer: WireResponse): PushCall | undefined
	/**
	 * What the API's answer to a call, or to its lookup, means. Most APIs mean what `judgeStatus` says. The body is empty
	 * where it is not read: of 2xx answers to a call, of other answers to a lookup, and where it is too large or no text.
	 */
	judge(answer: WireResponse): PushVerdict
}

/** The leg of a reply that is pushed. */
export type PushLeg = ReplyLeg<readonly PushCall[]>

/** How a platform is pushed to. */
export interface Push {
	/** What a push can express at most: the leg of a target may carry less. */
	readonly carries: Carries<CanonicalReply>
	/**
	 * Where the pushes of a call's conversation go: a small value with all that `target` needs. It may hold a token of the
	 * platform, so it is stored or sealed, and never logged. Undefined: the call does not say enough.
	 */
	address(call: WireRequest, event: CanonicalEvent): Json | undefined
	/**
	 * The target of an address, which may be of an older release and have been outside of the gateway, sealed. Throws a
	 * GatewayError if it cannot be used.
	 */
	target(address: Json): PushTarget
}

/** Client errors that say nothing about the call itself: too slow, too early, too many. */
const transient: ReadonlySet<number> = new Set([408, 425, 429])

/** What a status means by RFC 9110 alone: 2xx is accepted; 408, 425, 429 and 5xx are worth a retry; anything else is final. */
export function judgeStatus(status: number, reason?: string): PushVerdict {
	if (status >= 200 && status <= 299) return { result: 'accepted' }
	const result = status >= 500 || transient.has(status) ? 'retry' : 'refused'
	return reason === undefined ? { result } : { result, reason }
}
