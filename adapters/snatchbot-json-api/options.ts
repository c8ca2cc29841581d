/** The options of SnatchBot’s JSON API. */
import * as v from 'valibot'

/** Begins a new message inside `message`. */
export const marker = '::next::'

export const Options = v.strictObject({
	/** What the bot says where a reply has no text of its own, which the platform does not allow. */
	filler: v.optional(
		v.pipe(
			v.string(),
			v.regex(/\S/),
			v.check((text) => !text.includes(marker), `must be one message, without "${marker}"`),
		),
		'…',
	),
})
export type Options = v.InferOutput<typeof Options>
