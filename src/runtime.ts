/** What a runtime lends to the gateway: the network, a clock, cryptography, storage, a log. */
import type { Offer } from './fit/index.ts'
import type { Crypto, Fields, WireRequest, WireResponse } from './format/index.ts'
import type { CanonicalReply } from './model/index.ts'

/** What a conversation's last replies offered, newest first. Short-lived: it may be forgotten at any time. */
export type OpenChoices = readonly (readonly Offer[])[]

/** What is stored of an accepted event: plain JSON. */
export interface Delivery {
	/** The turn's id; the `webhook-id` of every attempt. */
	readonly id: string
	/** Names of the route and of the adapter that took the call. */
	readonly route: string
	readonly platform: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** Events of one conversation keep their order. Absent: it stands alone. */
	readonly conversation?: string
	/** The request as it goes to the upstream, unsigned: signatures and secrets are put on at each attempt. */
	readonly request: WireRequest
}

/** One call to an upstream. */
export interface OutgoingCall {
	readonly url: string
	readonly method: string
	readonly headers: Fields
	readonly body: string
	/** Ends the call wherever it stands: connecting, waiting for headers, or reading the body. */
	readonly signal: AbortSignal
	/** Bytes of the answer's body, decoded, after which it is given up. */
	readonly maxBytes: number
	/** Nothing but a public address may be called: anything else is refused before it is connected to. */
	readonly onlyPublic: boolean
}

/** One finished turn or event of the gateway's life, as one structured line. */
export type LogLine = { readonly level: 'info' | 'warn' | 'error'; readonly msg: string } & {
	readonly [field: string]: unknown
}

/** Who is to answer a call that may come more than once. */
export type Claim =
	/** The caller; the fence proves it when it settles. */
	| { readonly fence: number }
	/** Nobody: this is the answer that the call got. */
	| { readonly answer: WireResponse }

/** Late replies that are kept of one conversation. */
export const maxLateReplies = 10

/**
 * Short-lived memory, kept by conversation. Bounded: any of it may be forgotten at any time, at the latest after a day.
 * A memory that cannot be reached knows nothing, and says so in the log: no turn fails for it.
 */
export interface State {
	/** The choices that the last replies of a conversation left open. */
	openChoices(conversation: string): Promise<OpenChoices>
	/** Adds what one more reply offered, be it nothing. */
	addReply(conversation: string, offers: readonly Offer[]): Promise<void>
	/**
	 * Claims a call for `lease` milliseconds. Whoever comes second waits until the first has settled: then it gets the
	 * same answer, or the claim itself when the first failed or its lease ran out.
	 */
	claim(conversation: string, call: string, lease: number): Promise<Claim>
	/** Keeps a reply that came too late; false: it is not kept, for there are too many of this conversation. */
	addLateReply(conversation: string, reply: CanonicalReply): Promise<boolean>
	/** Takes the late replies of a conversation, oldest first: whoever asks next gets none of them. */
	takeLateReplies(conversation: string): Promise<readonly CanonicalReply[]>
	/** Ends a claim, with the answer or, when there is none worth keeping, without. An old fence changes nothing. */
	settle(conversation: string, call: string, fence: number, answer: WireResponse | undefined): Promise<void>
}

/** Stable storage for events whose answer nobody waits for; a worker of the runtime's own delivers them from there. */
export interface Outbox {
	/**
	 * Resolves once the event is on stable storage, and not before: then it is delivered, in the order of its
	 * conversation, or kept as a dead letter. Throws `outbox-full`, `outbox-failed`, or `event-too-large`.
	 */
	accept(delivery: Delivery): Promise<void>
}

export interface Runtime {
	/**
	 * Sends a call and reads the whole answer; the body of one that is no success is left unread, and empty here.
	 * Follows no redirect, asks for no compression, never retries. Throws `upstream-unreachable`, `upstream-not-public`,
	 * `upstream-timeout` (the signal), or `upstream-reply-too-large`; answers that are not UTF-8, are compressed, or break
	 * off throw `upstream-reply-invalid`.
	 */
	send(call: OutgoingCall): Promise<WireResponse>
	/** Milliseconds since 1970, by the wall clock. */
	now(): number
	/** Milliseconds since some moment, by a clock that never jumps: for durations and limits of time. */
	elapsed(): number
	/** A new id, unguessable and unique. */
	newId(): string
	readonly crypto: Crypto
	readonly state: State
	/** Absent: events whose answer nobody waits for are acknowledged when the upstream took them. */
	readonly outbox?: Outbox
	/** Goes on with work whose answer has left already. It never rejects; how long it may take is the runtime's to say. */
	background(work: Promise<void>): void
	log(line: LogLine): void
}
