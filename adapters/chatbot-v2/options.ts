/** The options of ChatBot v2. */
import * as v from 'valibot'
import { reservedKeys } from '../../src/format/index.ts'

const AttributeName = v.pipe(v.string(), v.nonEmpty(), v.notValues([...reservedKeys]))

export const Options = v.pipe(
	v.strictObject({
		/** The attribute in which the story keeps the user's words. Absent: events have no text. */
		text: v.optional(AttributeName),
		/** The attribute in which the story says what it wants. Absent: triggers have no action. */
		action: v.optional(AttributeName),
		/** What becomes of a reply's user attributes, which the platform cannot write. */
		userAttributes: v.optional(v.picklist(['drop', 'session']), 'drop'),
	}),
	v.check(({ text, action }) => text === undefined || text !== action, 'text and action must be two attributes'),
)
export type Options = v.InferOutput<typeof Options>
