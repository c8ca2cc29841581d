/** What a leg is: one direction of talk in one format, which decodes and encodes. */
import type * as v from 'valibot'
import type { CanonicalEvent, CanonicalReply, Change, Json, Turn } from '../model/index.ts'
import type { Carries } from './carries.ts'
import type { MergeTags } from './merge-tags.ts'
import type { WireRequest, WireResponse } from './wire.ts'

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

/** The leg of an event. Our own format also describes the turn to the upstream. */
export interface EventLeg extends Leg<WireRequest, CanonicalEvent> {
	/** `encode` writes the turn as well. Absent: it does not look at it. */
	readonly describesTurn?: true
	encode(event: CanonicalEvent, turn?: Turn): WireRequest
}

/** The leg of a reply: of an HTTP answer, or of whatever else brings a reply to the platform. */
export interface ReplyLeg<Wire = WireResponse> extends Leg<Wire, CanonicalReply> {
	/** Placeholders that the platform fills in. Absent: it fills in none. */
	readonly mergeTags?: MergeTags
	/**
	 * The leg for a backend that speaks this format itself: what the format executes in a text, and fills in, is left as
	 * it is. Absent: this leg.
	 */
	readonly sameFormat?: ReplyLeg<Wire>
	/**
	 * A reply that was decoded, for platforms of another format and for the simulator: with what its native parts say in
	 * the fields of the model, as far as there are any. Absent: the reply.
	 */
	forOthers?(reply: CanonicalReply): CanonicalReply
	/** What the user sees of a reply to this event, where the platform shows less or something else. Absent: the reply. */
	seen?(reply: CanonicalReply, event: CanonicalEvent): CanonicalReply
}
