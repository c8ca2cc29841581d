/** The options of ChatBot v2. */
import * as v from 'valibot'
import { NonEmpty, reservedKeys } from '../../src/format/index.ts'
import { userAttributes } from '../chatbot/webhook.ts'

const AttributeName = v.pipe(NonEmpty, v.notValues([...reservedKeys]))

export const Options = v.pipe(
	v.strictObject({
		/** The attribute in which the story stores the user's words. Absent: events have no text. */
		text: v.optional(AttributeName),
		/** The attribute in which the story names an action. Absent: triggers have no action. */
		action: v.optional(AttributeName),
		userAttributes,
	}),
	v.check(({ text, action }) => text === undefined || text !== action, 'text and action must be two attributes'),
)
export type Options = v.InferOutput<typeof Options>
