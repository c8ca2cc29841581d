/** What a runtime provides to the gateway: the network, a clock, cryptography, storage, a log. */
import type { Offer } from './fit/index.ts'
import type { Crypto, Fields, WireRequest, WireResponse } from './format/index.ts'
import type { CanonicalReply } from './model/index.ts'

/** One reply of a conversation, and what it offered that is still open. */
export interface OpenReply {
	/** The turn that the reply ended. */
	readonly turnId: string
	readonly offers: readonly Offer[]
}

/** The last replies of a conversation, newest first. */
export type OpenChoices = readonly OpenReply[]

/** A set of choices of which the user picked one. */
export interface PickedSet {
	/** The turn whose reply offered it. */
	readonly turnId: string
	/** As in the set's offers. */
	readonly set: string
}

/** What is stored of an accepted event: plain JSON. */
export interface Delivery {
	/** The turn's id; the `webhook-id` of every attempt. */
	readonly id: string
	/** Names of the route and of the adapter that took the call. */
	readonly route: string
	readonly platform: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** Events of one conversation are delivered in order. Absent: the event has no order to keep. */
	readonly conversation?: string
	/** The request to the upstream, unsigned: signature and secrets are added at each attempt. */
	readonly request: WireRequest
}

/** What is read of a 2xx answer of the upstream: the reply, or only the status, where the platform reads no answer. */
export type Reads = 'reply' | 'status'

/** One call to an upstream. */
export interface OutgoingCall {
	readonly url: string
	readonly method: string
	readonly headers: Fields
	readonly body: string
	/** Milliseconds until the whole answer must have been read. */
	readonly timeout: number
	/** Limit of the answer's body in bytes, decoded. */
	readonly maxBytes: number
	/** What is read of a 2xx answer: all of it, or only its status line and headers. */
	readonly reads: Reads
	/** Only a public address may be called: any other is refused before it is connected to. */
	readonly onlyPublic: boolean
}

/** One line of the log, as data: a finished turn, or an event of the gateway itself. */
export type LogLine = { readonly level: 'info' | 'warn' | 'error'; readonly msg: string } & {
	readonly [field: string]: unknown
}

/** What to do with a call that may come more than once. */
export type Claim =
	/** Answer it, and settle the claim with this fence. */
	| { readonly fence: number }
	/** Send this answer again. */
	| { readonly answer: WireResponse }

/**
 * Short-lived state by conversation. It is bounded: anything in it may be dropped at any time, at the latest after a day.
 * Its methods do not reject: a state that cannot be reached logs that, and answers as if it were empty.
 */
export interface State {
	/** The choices that the last replies of a conversation left open. */
	openChoices(conversation: string): Promise<OpenChoices>
	/**
	 * Adds what one more reply offered, which may be nothing, and closes the set that it answers a pick from. False: choices
	 * of this or of earlier replies were forgotten, because they are too large together.
	 */
	addReply(conversation: string, reply: OpenReply, picked?: PickedSet): Promise<boolean>
	/** Closes all choices of a conversation. */
	closeChoices(conversation: string): Promise<void>
	/**
	 * Claims a call for `lease` milliseconds. A second claim of the same call waits until the first is settled. Then it
	 * gets the same answer, or becomes the claim itself when the first failed or its lease expired.
	 */
	claim(conversation: string, call: string, lease: number): Promise<Claim>
	/**
	 * Stores a reply that came too late; false: it is not stored, because the late replies of the conversation
	 * would be too many, or too large together.
	 */
	addLateReply(conversation: string, reply: CanonicalReply): Promise<boolean>
	/** Removes and returns the late replies of a conversation, oldest first. */
	takeLateReplies(conversation: string): Promise<readonly CanonicalReply[]>
	/** Ends a claim with its answer, or without one when the turn failed. An expired fence changes nothing. */
	settle(conversation: string, call: string, fence: number, answer: WireResponse | undefined): Promise<void>
}

/** Stable storage for events whose answer the platform does not read; the runtime delivers them from there. */
export interface Outbox {
	/**
	 * Resolves once the event is on stable storage, and not before. From then on it is delivered, in the order of its
	 * conversation, or becomes a dead letter. Throws `outbox-full`, `outbox-failed`, or `event-too-large`.
	 */
	accept(delivery: Delivery): Promise<void>
}

export interface Runtime {
	/**
	 * Sends a call and reads the whole answer. A body is not read, and empty here, if the status is not 2xx or the call
	 * reads the status only: then nothing that comes behind the headers can make the call fail. Follows no redirect, asks for no compression, never retries. Throws `upstream-unreachable`, `upstream-not-public`,
	 * `upstream-timeout`, `upstream-reply-too-large`, or `too-many-replies`; answers that are not UTF-8, are compressed, or break
	 * off throw `upstream-reply-invalid`.
	 */
	send(call: OutgoingCall): Promise<WireResponse>
	/** Milliseconds since 1970, by the wall clock. */
	now(): number
	/** Milliseconds since a fixed moment, by a monotonic clock: for durations and time limits. */
	elapsed(): number
	/** Resolves when other work has had the event loop: long work calls it between its parts. */
	letOthersRun(): Promise<void>
	/** A new id, unguessable and unique. */
	newId(): string
	readonly crypto: Crypto
	readonly state: State
	/** Absent: events whose answer the platform does not read are acknowledged once the upstream accepted them. */
	readonly outbox?: Outbox
	/** Continues work after its answer has left. The work never rejects; the runtime decides how long it may take. */
	background(work: Promise<void>): void
	log(line: LogLine): void
}
