/** The canonical reply: what the bot answers. */
import * as v from 'valibot'
import { hasMembers, LimitedAttributes, limitedArray, NonEmptyString, nonEmptyArray } from './constraints.ts'
import { JsonByAdapter } from './json.ts'
import { Message } from './message.ts'

const Control = v.pipe(
	v.strictObject({
		close: v.optional(v.literal(true)),
		handover: v.optional(
			v.strictObject({
				to: v.picklist(['human', 'department', 'bot']),
				name: v.optional(NonEmptyString),
				id: v.optional(NonEmptyString),
			}),
		),
		goto: v.optional(NonEmptyString),
		blockInput: v.optional(v.literal(true)),
		participants: v.optional(
			v.pipe(
				v.strictObject({
					add: v.optional(nonEmptyArray(NonEmptyString)),
					remove: v.optional(nonEmptyArray(NonEmptyString)),
				}),
				hasMembers(),
			),
		),
		tags: v.optional(nonEmptyArray(NonEmptyString)),
	}),
	hasMembers(),
)

export const CanonicalReply = v.strictObject({
	messages: limitedArray(Message),
	attributes: v.strictObject({ session: LimitedAttributes, user: LimitedAttributes }),
	control: v.optional(Control),
	overrides: v.optional(JsonByAdapter),
})

/** What the bot answers: messages, attributes to store (null deletes one), and control of the conversation. */
export type CanonicalReply = v.InferOutput<typeof CanonicalReply>

/** The reply without messages that changes nothing. */
export const emptyReply: CanonicalReply = { messages: [], attributes: { session: {}, user: {} } }
