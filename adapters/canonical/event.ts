/** The event leg of our own JSON: `{ version: 1, event, turn }`. */
import * as v from 'valibot'
import {
	allOf,
	CanonicalEvent,
	type EventLeg,
	eventFeatures,
	jsonRequest,
	messageFeatures,
	readJsonBody,
	validate,
} from '../../src/format/index.ts'

/** Attributes that hold nothing may be left out. */
const EventCall = v.object({
	version: v.optional(v.literal(1)),
	event: v.strictObject({ ...CanonicalEvent.entries, attributes: v.optional(CanonicalEvent.entries.attributes, {}) }),
	/** The gateway's word on the turn; whoever reads events reads it, but it is no part of them. */
	turn: v.optional(v.unknown()),
})

export const event: EventLeg = {
	carries: allOf([...eventFeatures, ...messageFeatures]),
	describesTurn: true,
	decode(call) {
		const { wire, unread } = validate(EventCall, readJsonBody(call))
		return { model: wire.event, unread }
	},
	encode(model, turn) {
		return jsonRequest({ version: 1, event: model, turn })
	},
}
