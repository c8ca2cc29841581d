/** The reply leg of our own JSON: a canonical reply as it stands. */
import * as v from 'valibot'
import type { ReplyLeg } from '../../src/adapter.ts'
import { Attributes, CanonicalReply, Message, silence } from '../../src/canonical.ts'
import { check, jsonResponse, readJsonBody } from '../../src/codec.ts'
import { allOf, replyFeatures } from '../../src/features.ts'

/** Whatever holds nothing may be left out: `{}` says nothing, `{"messages":[…]}` is enough to say something. */
const Answer = v.strictObject({
	...CanonicalReply.entries,
	messages: v.optional(v.array(Message), []),
	attributes: v.optional(v.strictObject({ session: v.optional(Attributes, {}), user: v.optional(Attributes, {}) }), {}),
})

export const reply: ReplyLeg = {
	carries: allOf(replyFeatures),
	decode(answer) {
		if (answer.body === '') return { model: silence, unread: [] }
		const { wire, unread } = check(Answer, readJsonBody(answer))
		return { model: wire, unread }
	},
	encode(model) {
		return jsonResponse(model)
	},
}
