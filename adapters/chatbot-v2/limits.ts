/** What ChatBot v2 accepts and sends, from its documentation. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

// https://www.chatbot.com/docs/webhooks/, "Available Bot Responses" and "Button types".
const text = (least: number, most: number) => v.pipe(v.string(), v.minLength(least), v.maxLength(most))
const list = <S extends v.GenericSchema>(item: S, most: number) =>
	v.pipe(v.array(item), v.minLength(1), v.maxLength(most))
const delay = v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(10_000)))
const title = text(1, 20)
const uuid = v.pipe(v.string(), v.length(36), v.uuid(), v.regex(/^.{14}4/))

const postback = v.strictObject({ type: v.literal('postback'), title, value: text(1, 2000) })
const goto = v.strictObject({ type: v.literal('goto'), title, value: uuid })
const url = v.strictObject({ type: v.literal('url'), title: text(0, 20), value: text(0, 2048) })
const webview = v.strictObject({
	type: v.literal('webview'),
	title,
	value: text(1, 2048),
	height: v.picklist(['full', 'tall', 'compact']),
})
const phone = v.strictObject({
	type: v.literal('phone'),
	title,
	value: v.pipe(text(3, 16), v.regex(/^\+\d{2,}$/)),
})
const anyButton = v.variant('type', [postback, goto, url, webview, phone])
const card = v.strictObject({
	title: text(1, 80),
	subtitle: text(1, 80),
	imageUrl: text(1, 2048),
	buttons: list(anyButton, 5),
})
const response = v.variant('type', [
	v.strictObject({ type: v.literal('text'), delay, message: text(1, 1024) }),
	v.strictObject({ type: v.literal('randomText'), delay, messages: list(text(1, 1024), 20) }),
	v.strictObject({ type: v.literal('image'), delay, imageUrl: text(1, 2048) }),
	v.strictObject({
		type: v.literal('quickReplies'),
		delay,
		title: text(1, 640),
		buttons: list(v.variant('type', [postback, goto]), 13),
	}),
	v.strictObject({ type: v.literal('cards'), delay, elements: v.pipe(v.array(card), v.minLength(1)) }),
	v.strictObject({ type: v.literal('buttons'), delay, title: text(1, 640), buttons: list(anyButton, 5) }),
])
const types: readonly unknown[] = response.options.map(({ entries }) => entries.type.literal)
/** What an author wrote by hand; the limits of a type that is not documented are not known. */
const byHand = v.custom<unknown>(
	(value) => !(typeof value === 'object' && value !== null && 'type' in value && types.includes(value.type)),
)
const strings = v.record(v.string(), v.string())

/** The bodies of a call and, where it is read, of an answer. */
export const limits = {
	// "Example body of POST request sent by ChatBot" and the properties below it.
	event: v.strictObject({
		chatId: text(1, Number.POSITIVE_INFINITY),
		messageId: text(1, Number.POSITIVE_INFINITY),
		userId: v.string(),
		externalId: v.optional(v.string()),
		node: v.optional(
			v.strictObject({
				id: v.optional(v.string()),
				name: v.optional(v.string()),
				type: v.optional(v.string()),
				webhookId: v.optional(v.string()),
				webhookName: v.optional(v.string()),
			}),
		),
		userAttributes: strings,
		attributes: strings,
	}),
	reply: v.strictObject({
		responses: v.optional(v.array(v.union([response, byHand]))),
		attributes: v.optional(strings),
	}),
}
