/** What a runtime provides to the gateway: the network, a clock, cryptography, storage, a log. */
import type * as compactJwe from './compact-jwe.ts'
import type { Offer } from './fit/index.ts'
import type { Crypto, Fields, PushCall, WireRequest, WireResponse } from './format/index.ts'
import type { CanonicalEvent, CanonicalReply, Json } from './model/index.ts'
import type { Observer } from './observer/index.ts'

/** One reply of a conversation, and what it offered that is still open. */
export interface OpenReply {
	/** The turn that the reply ended. */
	readonly turnId: string
	readonly offers: readonly Offer[]
}

/** The same, as it is stored. */
export interface StoredReply {
	readonly turnId: string
	/** The list of offers as JSON: most are never looked at again, and text takes a fraction of the memory of objects. */
	readonly offers: string
}

/** The last replies of a conversation, newest first. */
export type OpenChoices = readonly StoredReply[]

/** A set of choices of which the user picked one. */
export interface PickedSet {
	/** The turn whose reply offered it. */
	readonly turnId: string
	/** As in the set's offers. */
	readonly set: string
}

/** What is delivered, as it is stored: plain JSON. */
export type Delivery = EventDelivery | PushDelivery

interface AnyDelivery {
	/** The turn's id, with a number behind it for a call of a push. */
	readonly id: string
	/** Names of the route and of the adapter that took the call. */
	readonly route: string
	readonly platform: string
	/** RFC 3339: when the platform's call came, or what else began the push. */
	readonly receivedAt: string
	/** Deliveries of one conversation are made in order. Absent: there is no order to keep. */
	readonly conversation?: string
}

/** An event on its way to the upstream. Its id is the `webhook-id` of every attempt. */
export interface EventDelivery extends AnyDelivery {
	/** The request to the upstream, unsigned: signature and secrets are added at each attempt. */
	readonly request: WireRequest
	/** How the user gets the reply. Absent: not at all, and it is not read. */
	readonly answer?: PushedAnswer
}

/** The reply to an event that is to be pushed. */
export interface PushedAnswer {
	/** As in `Push`. Secret. */
	readonly address: Json
	/** The platform's event, without secrets. */
	readonly event: CanonicalEvent
	/** The set of choices that the event picked one of. */
	readonly picked?: PickedSet
	/** The user has got the holding reply. Unless the upstream is idempotent, the event is not sent to it a second time. */
	readonly held?: true
}

/** A call to the API of a platform. */
export interface PushDelivery extends AnyDelivery {
	/** As in `Push`. Secret. */
	readonly address: Json
	readonly call: PushCall
}

/**
 * What is read of an answer: the body of a 2xx answer, or nothing but the status, or the body of any other answer, as far
 * as it can be read, to know the reason.
 */
export type Reads = 'reply' | 'status' | 'refusal'

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
	readonly reads: Reads
	/** Only a public address may be called: any other is refused before it is connected to. */
	readonly onlyPublic: boolean
}

/** One line of the log, as data: a finished turn, or an event of the gateway itself. */
export type LogLine = { readonly level: 'info' | 'warn' | 'error'; readonly msg: string } & {
	readonly [field: string]: unknown
}

/** What a turn asks of its conversation's state when it begins. */
export interface Beginning {
	/** The call to claim, for `lease` milliseconds. Absent: the call cannot be told from another one. */
	readonly claim?: { readonly call: string; readonly lease: number }
	/** What to do with the open choices, unless the call was answered before. Absent: nothing. */
	readonly choices?: 'read' | 'close'
}

/** How a turn goes on. */
export type Begun =
	/** The call came before: send this answer again. */
	| { readonly answer: WireResponse }
	/** Answer the call, and settle its claim with this fence. Absent: no claim is held. `open`: the choices that were read. */
	| { readonly fence?: number; readonly open: OpenChoices }

/** What came of a turn, or of a push. */
export interface Settlement {
	/** The claim to end with its answer, or without one when the turn failed. An expired fence changes nothing. */
	readonly claim?: { readonly call: string; readonly fence: number; readonly answer: WireResponse | undefined }
	/** What the reply offered, which may be nothing. */
	readonly reply?: OpenReply
	/** The set that the reply answers a pick from: it is closed. */
	readonly picked?: PickedSet | undefined
}

/**
 * Short-lived state by conversation. It is bounded: anything in it may be dropped at any time, at the latest after a day.
 * Its methods do not reject: a state that cannot be reached logs that, and answers as if it were empty.
 */
export interface State {
	/**
	 * Begins a turn. A second claim of the same call waits until the first is settled. Then it gets the same answer, or
	 * becomes the claim itself when the first failed or its lease expired.
	 */
	begin(conversation: string, beginning: Beginning): Promise<Begun>
	/**
	 * Stores what came of a turn or of a push. False: choices of this or of earlier replies were forgotten, because they
	 * are too large together.
	 */
	settle(conversation: string, settlement: Settlement): Promise<boolean>
	/**
	 * Stores a reply that came too late; false: it is not stored, because the late replies of the conversation
	 * would be too many, or too large together.
	 */
	addLateReply(conversation: string, reply: CanonicalReply): Promise<boolean>
	/** Removes and returns the late replies of a conversation, oldest first. */
	takeLateReplies(conversation: string): Promise<readonly CanonicalReply[]>
}

/** Stable storage for what is delivered later; the runtime delivers it from there. */
export interface Outbox {
	/**
	 * Resolves once all of the deliveries are on stable storage, and not before; they are of one conversation, and are
	 * stored together or not at all. From then on they are made, in the order of their conversation, or become dead
	 * letters. `underWay`: the one delivery is an event that is being sent to the upstream already, and this will be the
	 * answer. Throws `outbox-full`, `outbox-failed`, or `event-too-large`.
	 */
	accept(deliveries: Deliveries, underWay?: Promise<WireResponse>): Promise<void>
}

/** At least one delivery. */
export type Deliveries = readonly [Delivery, ...Delivery[]]

export interface Runtime {
	/**
	 * Sends a call and reads the whole answer. A body that the call does not read is empty here, and nothing that comes
	 * behind the headers can make the call fail; nor can a refusal that cannot be read, which is empty, too. Follows no
	 * redirect, asks for no compression, never retries. Throws `upstream-unreachable`, `upstream-not-public`,
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
	/** Loads what encrypts URLs for replies: most gateways have none, and do without it. */
	compactJwe(): Promise<typeof compactJwe>
	readonly state: State
	/** Absent: nothing is pushed, and events whose answer the platform does not read are acknowledged once the upstream accepted them. */
	readonly outbox?: Outbox
	/** Continues work after its answer has left. The work never rejects; the runtime decides how long it may take. */
	background(work: Promise<void>): void
	log(line: LogLine): void
	/** Sees what the gateway does. Absent: nobody does, and nothing is spent on it. */
	readonly observer?: Observer
}
