/** What BotDistrikt accepts and sends, from its documentation. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

// https://docs.botdistrikt.com/features/responses/webhooks. The value of a param or an attribute has no stated type.
const values = v.record(v.string(), v.unknown())
const nonEmpty = v.pipe(v.string(), v.nonEmpty())

/** The bodies of a call and, where it is read, of an answer. */
export const limits = {
	event: values,
	reply: v.strictObject({
		// "should contain at least one of the following keys": this one is always there.
		responses: v.array(nonEmpty),
		memory: v.optional(values),
		user_attributes: v.optional(values),
		// https://docs.botdistrikt.com/overview/engagement
		quickreplies: v.optional(v.pipe(v.array(nonEmpty), v.nonEmpty(), v.maxLength(10))),
	}),
}
