/** The event leg of our own JSON: `{ version: 1, event, turn }`. */
import * as v from 'valibot'
import type { EventLeg } from '../../src/adapter.ts'
import { Attributes, CanonicalEvent } from '../../src/canonical.ts'
import { check, jsonRequest, readJsonBody } from '../../src/codec.ts'
import { allOf, eventFeatures, messageFeatures } from '../../src/features.ts'

/** Attributes that hold nothing may be left out. */
const EventCall = v.object({
	version: v.optional(v.literal(1)),
	event: v.strictObject({ ...CanonicalEvent.entries, attributes: v.optional(Attributes, {}) }),
	/** The gateway's word on the turn; whoever reads events reads it, but it is no part of them. */
	turn: v.optional(v.unknown()),
})

export const event: EventLeg = {
	carries: allOf([...eventFeatures, ...messageFeatures]),
	decode(call) {
		const { wire, unread } = check(EventCall, readJsonBody(call))
		return { model: wire.event, unread }
	},
	encode(model, turn) {
		return jsonRequest({ version: 1, event: model, turn })
	},
}
