/** The reply leg of our own JSON: a canonical reply as it stands. */
import * as v from 'valibot'
import {
	Attributes,
	allOf,
	CanonicalReply,
	emptyReply,
	jsonResponse,
	Message,
	type ReplyLeg,
	readJsonBody,
	replyFeatures,
	validate,
} from '../../src/format/index.ts'

/** Whatever holds nothing may be left out: `{}` says nothing, `{"messages":[…]}` is enough to say something. */
const Answer = v.strictObject({
	...CanonicalReply.entries,
	messages: v.optional(v.array(Message), []),
	attributes: v.optional(v.strictObject({ session: v.optional(Attributes, {}), user: v.optional(Attributes, {}) }), {}),
})

export const reply: ReplyLeg = {
	carries: allOf(replyFeatures),
	decode(answer) {
		if (answer.body === '') return { model: emptyReply, unread: [] }
		const { wire, unread } = validate(Answer, readJsonBody(answer))
		return { model: wire, unread }
	},
	encode(model) {
		return jsonResponse(model)
	},
}
