/** What an adapter is: one format as a value, with two legs that decode and encode. */
import * as v from 'valibot'
import type { GatewayError } from '../errors.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Auth } from './auth.ts'
import type { EventLeg, ReplyLeg } from './leg.ts'
import type { Push } from './push.ts'
import type { WireRequest, WireResponse } from './wire.ts'

/** A set-up call from the platform's side. */
export interface Handshake {
	/** The call. */
	readonly call: WireRequest
	/** Whether the platform accepts an answer: a wrong status or any other body is refused. */
	accepts(answer: WireResponse): boolean
}

/** What a platform does and the legs do not say. Each absent member: what most platforms do. */
export interface Simulated {
	/** The id of a new conversation, of a bot's project. Absent: any id. */
	newConversation?(project: string, hex: string): string
	/** The call of a press, as of a button that holds more than the value that is read from it. Absent: as encoded. */
	pressed?(call: WireRequest, held: string): WireRequest
	/** Whether an answer of this status, a 2xx, is read. Absent: it is. */
	reads?(status: number): boolean
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
	/** What the simulator has to know of the platform. Absent: nothing but the legs. */
	readonly simulated?: Simulated
	/** How a reply reaches the user without an HTTP answer. Absent: not at all, or the options name no API. */
	readonly push?: Push
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

/** An adapter under the name that configuration, logs and `turn.platform` use. */
export interface NamedAdapter {
	readonly name: string
	readonly adapter: Adapter
}
