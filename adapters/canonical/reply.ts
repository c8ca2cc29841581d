/** The reply leg of our own JSON: a canonical reply as it stands. */
import * as v from 'valibot'
import {
	allOf,
	bodyAsJson,
	CanonicalReply,
	emptyReply,
	jsonResponse,
	type ReplyLeg,
	replyFeatures,
	validate,
} from '../../src/format/index.ts'

const { messages, attributes } = CanonicalReply.entries

/** Whatever holds nothing may be left out: `{}` says nothing, `{"messages":[…]}` is enough to say something. */
const Answer = v.strictObject({
	...CanonicalReply.entries,
	messages: v.optional(messages, []),
	attributes: v.optional(
		v.strictObject({
			session: v.optional(attributes.entries.session, {}),
			user: v.optional(attributes.entries.user, {}),
		}),
		{},
	),
})

export const reply: ReplyLeg = {
	carries: allOf(replyFeatures),
	decode(answer) {
		if (answer.body === '') return { model: emptyReply, unread: [] }
		const { wire, unread } = validate(Answer, bodyAsJson(answer))
		return { model: wire, unread }
	},
	encode(model) {
		return jsonResponse(model)
	},
}
