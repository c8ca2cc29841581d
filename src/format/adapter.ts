/** What an adapter is: one format as a value, with two legs that decode and encode. */
import * as v from 'valibot'
import type { GatewayError } from '../errors.ts'
import type { CanonicalEvent, CanonicalReply, Change, Json, Turn } from '../model/index.ts'
import type { Auth } from './auth.ts'
import type { Carries } from './carries.ts'
import type { MergeTags } from './merge-tags.ts'
import type { WireRequest, WireResponse } from './wire.ts'

/** The leg of an event. Our own format also describes the turn to the upstream. */
export interface EventLeg extends Leg<WireRequest, CanonicalEvent> {
	encode(event: CanonicalEvent, turn?: Turn): WireRequest
}

/** The leg of a reply. */
export interface ReplyLeg extends Leg<WireResponse, CanonicalReply> {
	/** Placeholders that the platform fills in. Absent: it fills in none. */
	readonly mergeTags?: MergeTags
	/**
	 * The leg for a backend that speaks this format itself: what the format executes in a text, and fills in, is left as
	 * it is. Absent: this leg.
	 */
	readonly sameFormat?: ReplyLeg
	/** What the user sees of a reply to this event, where the platform shows less or something else. Absent: the reply. */
	seen?(reply: CanonicalReply, event: CanonicalEvent): CanonicalReply
}

/** A set-up call from the platform's side. */
export interface Handshake {
	/** The call. */
	readonly call: WireRequest
	/** Whether the platform accepts an answer: a wrong status or any other body is refused. */
	accepts(answer: WireResponse): boolean
}

/** One format, pure and without I/O. Each optional member says what its absence means. */
export interface Adapter {
	/** The methods with which the platform calls, set-up calls included. */
	readonly methods: readonly string[]
	/** User to bot: the call of the webhook. */
	readonly event: EventLeg
	/** Bot to user: the answer to one event. Undefined: the platform reads no answer to this event. */
	reply(event: CanonicalEvent): ReplyLeg | undefined
	/** Milliseconds until the platform stops waiting, without a margin: the gateway subtracts its own. Absent: not known. */
	readonly deadline?: number
	/** Bytes that a call's body may have. Absent: 1 MiB. */
	readonly maxBody?: number
	/** Is this call of this format? Absent: no other format shares a URL with it. */
	recognises?(call: WireRequest): boolean
	/** How a call is authenticated, by a secret that both sides know. Absent: only by a secret in the path. */
	readonly auth?: Auth
	/** Answers a set-up call; undefined for any other call. Absent: the platform makes none. */
	challenge?(call: WireRequest): WireResponse | undefined
	/** The set-up call as the platform makes it, unsigned, and whether it accepts an answer. Absent: as for `challenge`. */
	handshake?(nonce: string): Handshake
	/** The answer when the turn failed, in the form that does the least harm on that platform. Absent: problem details. */
	failure?(event: CanonicalEvent | undefined, error: GatewayError): WireResponse
}

/** Makes an adapter from its options, and describes the format to tests, tables and examples. */
export interface AdapterFactory {
	/** The name that configuration, `extensions` and `overrides` use. */
	readonly name: string
	/** Strict schema of the options; every option has a default. */
	readonly options: v.GenericSchema
	/**
	 * Sets of options to try the format with. The first one makes it complete: events hold the user's words, the user and
	 * the conversation as far as the platform has them.
	 */
	readonly examples: readonly [unknown, ...unknown[]]
	/** Makes the adapter. Throws a ValiError if the options do not match the schema. */
	create(options?: unknown): Adapter
}

/** A factory whose `create` and `examples` are checked and typed by the schema of the options. */
export function defineAdapter<S extends v.GenericSchema>(factory: {
	readonly name: string
	readonly options: S
	readonly examples: readonly [v.InferInput<S>, ...v.InferInput<S>[]]
	create(options: v.InferOutput<S>): Adapter
}): AdapterFactory {
	return { ...factory, create: (options = {}) => factory.create(v.parse(factory.options, options)) }
}

/** What decode made of a wire message: the model, the paths of what the model cannot express, and notes for the log. */
export interface Decoded<Model> {
	readonly model: Model
	readonly unread: readonly string[]
	/** Paths of what the message leaves out and the model needs, so that decode supplied it. Absent: nothing. */
	readonly added?: readonly string[]
	/** What the operator should check, in words that quote the configuration and nothing of the message. Absent: nothing. */
	readonly notes?: readonly string[]
}

/** One direction of talk in one format: a pure, synchronous, two-way mapping, and what it can express. */
export interface Leg<Wire, Model> {
	/** The features that the format can express, each with its limits. */
	readonly carries: Carries<Model>
	/**
	 * The schema of what only this format has: `extensions[name]` of an event, `overrides[name]` of a reply.
	 * Absent: it has nothing of its own.
	 */
	readonly native?: { readonly name: string; readonly schema: v.GenericSchema<Json> }
	/** From the wire to the model, with the paths it has no field for. Throws a GatewayError that names the invalid field. */
	decode(wire: Wire): Decoded<Model>
	/** From the model to the wire. Takes a model in normal form, as fit returns it. */
	encode(model: Model): Wire
	/**
	 * Changes that only this format needs. Fit calls it once the value is within `carries`, before it measures bytes; the
	 * result must be within `carries`, too. Pure and idempotent. Absent: `carries` is enough.
	 */
	refine?(model: Model, report: Report): Model
}

/** Reports a change that `refine` makes. `path` refers to the value that was passed to `refine`. */
export type Report = (change: Change) => void

/** An adapter under the name that configuration, logs and `turn.platform` use. */
export interface NamedAdapter {
	readonly name: string
	readonly adapter: Adapter
}
