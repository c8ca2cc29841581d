/** What SnatchBot's JSON API accepts and sends, from its documentation. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

// https://support.snatchbot.me/docs/json-api. It gives no limits of length or number.
const nonEmpty = v.pipe(v.string(), v.nonEmpty())
const digits = v.pipe(v.string(), v.regex(/^\d+$/))
const url = v.pipe(v.string(), v.url(), v.regex(/^\S+$/))
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())

const buttons = list(
	v.variant('type', [
		v.strictObject({
			type: v.literal('url'),
			value: v.union([url, v.pipe(v.string(), v.regex(/^#\S*$/))]),
			name: nonEmpty,
		}),
		v.strictObject({ type: v.literal('module'), value: digits, name: nonEmpty }),
	]),
)
const card = v.variant('type', [
	v.strictObject({ type: v.literal('text'), value: nonEmpty, buttons: v.optional(buttons) }),
	v.strictObject({ type: v.literal('image'), value: url }),
	v.strictObject({
		type: v.literal('gallery'),
		value: v.literal('gallery'),
		gallery: list(
			v.strictObject({
				image: v.optional(url),
				heading: nonEmpty,
				subtitle: v.optional(nonEmpty),
				url: v.optional(url),
				buttons: v.optional(buttons),
			}),
		),
	}),
])
/** What an author wrote by hand, of a type that is not documented. */
const byHand = v.custom<unknown>(
	(value) =>
		!(typeof value === 'object' && value !== null && /"type":"(text|image|gallery)"/.test(JSON.stringify(value))),
)

/** The bodies of a call and, where it is read, of an answer. */
export const limits = {
	// "Mandatory fields in requests"; the others are the author's.
	event: v.objectWithRest(
		{
			bot_id: digits,
			user_id: nonEmpty,
			module_id: digits,
			channel: v.optional(nonEmpty),
			incoming_message: v.string(),
			session_id: v.optional(nonEmpty),
		},
		v.string(),
	),
	reply: v.strictObject({
		user_id: nonEmpty,
		bot_id: digits,
		module_id: digits,
		message: v.pipe(
			v.string(),
			v.check((text) => text.split('::next::').every((part) => /\S/.test(part)), 'cannot be empty'),
		),
		suggested_replies: v.optional(list(nonEmpty)),
		blocked_input: v.optional(v.boolean()),
		cards: v.optional(list(v.union([card, byHand]))),
	}),
}
