/** One message of a bot, and its buttons, choices and cards. */
import * as v from 'valibot'
import { Address, Count, NonEmptyString, nonEmptyArray } from './constraints.ts'

export const Button = v.variant('type', [
	v.strictObject({ type: v.literal('postback'), title: NonEmptyString, value: NonEmptyString }),
	v.strictObject({ type: v.literal('link'), title: NonEmptyString, url: Address }),
	v.strictObject({
		type: v.literal('webview'),
		title: NonEmptyString,
		url: Address,
		height: v.optional(v.picklist(['compact', 'tall', 'full'])),
	}),
	v.strictObject({ type: v.literal('phone'), title: NonEmptyString, number: NonEmptyString }),
	v.strictObject({ type: v.literal('goto'), title: NonEmptyString, target: NonEmptyString }),
])

/**
 * A button: sends a value back, opens a page, opens a page inside the chat, starts a phone call, or jumps to a step of
 * the bot's flow.
 */
export type Button = v.InferOutput<typeof Button>

export const Choice = v.union([
	v.strictObject({ title: NonEmptyString, value: NonEmptyString }),
	v.strictObject({ title: NonEmptyString, target: NonEmptyString }),
])

/** One option of a set: `value` comes back in a choice event, `target` jumps to a step of the bot's flow. */
export type Choice = v.InferOutput<typeof Choice>

export const Card = v.strictObject({
	title: NonEmptyString,
	subtitle: v.optional(NonEmptyString),
	imageUrl: v.optional(Address),
	url: v.optional(Address),
	buttons: v.optional(nonEmptyArray(Button)),
})

/** A picture with a title, and what the user can do with it. */
export type Card = v.InferOutput<typeof Card>

/** `delay`: milliseconds before the message appears. `instead`: the author's text where the message cannot be shown. */
const common = { delay: v.optional(Count), instead: v.optional(NonEmptyString) }

const file = { ...common, url: Address, name: v.optional(NonEmptyString), mimeType: v.optional(NonEmptyString) }

export const Message = v.variant('type', [
	v.strictObject({
		...common,
		type: v.literal('text'),
		text: NonEmptyString,
		alternatives: v.optional(nonEmptyArray(NonEmptyString)),
		buttons: v.optional(nonEmptyArray(Button)),
	}),
	v.strictObject({ ...common, type: v.literal('image'), url: Address, alt: v.optional(NonEmptyString) }),
	v.strictObject({ ...file, type: v.literal('video') }),
	v.strictObject({ ...file, type: v.literal('audio') }),
	v.strictObject({ ...file, type: v.literal('file') }),
	v.strictObject({
		...common,
		type: v.literal('choices'),
		text: v.optional(NonEmptyString),
		choices: nonEmptyArray(Choice),
	}),
	v.strictObject({ ...common, type: v.literal('cards'), cards: nonEmptyArray(Card) }),
])

/** One message of a bot. The platform may show one of a text's `alternatives` in its place, picked at random. */
export type Message = v.InferOutput<typeof Message>
