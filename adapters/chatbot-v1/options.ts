/** The options of ChatBot v1. */
import * as v from 'valibot'

export const Options = v.strictObject({
	/** What becomes of a reply's user attributes, which the platform cannot write. */
	userAttributes: v.optional(v.picklist(['drop', 'session']), 'drop'),
})
export type Options = v.InferOutput<typeof Options>
