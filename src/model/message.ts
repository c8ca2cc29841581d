/** What a bot says: one message, and the buttons, choices and cards in it. */
import * as v from 'valibot'
import { Count, NonEmptyString, nonEmptyArray } from './constraints.ts'

export const Button = v.variant('type', [
	v.strictObject({ type: v.literal('postback'), title: NonEmptyString, value: NonEmptyString }),
	v.strictObject({ type: v.literal('link'), title: NonEmptyString, url: NonEmptyString }),
	v.strictObject({
		type: v.literal('webview'),
		title: NonEmptyString,
		url: NonEmptyString,
		height: v.optional(v.picklist(['compact', 'tall', 'full'])),
	}),
	v.strictObject({ type: v.literal('phone'), title: NonEmptyString, number: NonEmptyString }),
	v.strictObject({ type: v.literal('goto'), title: NonEmptyString, target: NonEmptyString }),
])

/** What the user can press: a value sent back, a page, a page inside the chat, a call, or a jump in the bot's flow. */
export type Button = v.InferOutput<typeof Button>

export const Choice = v.union([
	v.strictObject({ title: NonEmptyString, value: NonEmptyString }),
	v.strictObject({ title: NonEmptyString, target: NonEmptyString }),
])

/** One option of a set: `value` comes back as a choice event, `target` jumps in the bot's flow. */
export type Choice = v.InferOutput<typeof Choice>

export const Card = v.strictObject({
	title: NonEmptyString,
	subtitle: v.optional(NonEmptyString),
	imageUrl: v.optional(NonEmptyString),
	url: v.optional(NonEmptyString),
	buttons: v.optional(nonEmptyArray(Button)),
})

export type Card = v.InferOutput<typeof Card>

/** `delay`: milliseconds before it is shown. `instead`: the author's own words where the element cannot be shown. */
const common = { delay: v.optional(Count), instead: v.optional(NonEmptyString) }

const file = { ...common, url: NonEmptyString, name: v.optional(NonEmptyString), mimeType: v.optional(NonEmptyString) }

export const Message = v.variant('type', [
	v.strictObject({
		...common,
		type: v.literal('text'),
		text: NonEmptyString,
		alternatives: v.optional(nonEmptyArray(NonEmptyString)),
		buttons: v.optional(nonEmptyArray(Button)),
	}),
	v.strictObject({ ...common, type: v.literal('image'), url: NonEmptyString, alt: v.optional(NonEmptyString) }),
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

/** One thing the bot says. `alternatives` of a text: others the platform may pick instead, at random. */
export type Message = v.InferOutput<typeof Message>
