/** What ChatBot v1 accepts and sends, from its documentation. Kept apart from the adapter, which is tested against it. */
import * as v from 'valibot'

// https://chatbot.com/docsv1/object-definitions, "Available responses". It gives no limits of a button's own.
const text = (least: number, most: number) => v.pipe(v.string(), v.minLength(least), v.maxLength(most))
const list = <S extends v.GenericSchema>(item: S, most: number) =>
	v.pipe(v.array(item), v.minLength(1), v.maxLength(most))
const delay = v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(10_000)))
const id = v.pipe(v.string(), v.length(24), v.hexadecimal())

const nonEmpty = v.pipe(v.string(), v.nonEmpty())
const postback = v.strictObject({ type: v.literal('postback'), title: nonEmpty, value: nonEmpty })
const goto = v.strictObject({ type: v.literal('goto'), title: nonEmpty, value: id })
const url = v.strictObject({ type: v.literal('url'), title: nonEmpty, value: nonEmpty })
const card = {
	title: text(1, 80),
	subtitle: v.optional(text(0, 80)),
	imageUrl: v.optional(text(0, 2048)),
	buttons: list(v.variant('type', [postback, goto, url]), 3),
}
const response = v.variant('type', [
	v.strictObject({ type: v.literal('text'), delay, elements: list(text(1, 1024), 20) }),
	v.strictObject({ type: v.literal('image'), delay, imageUrl: v.pipe(text(1, 1024), v.regex(/^https?:\/\/[^\s]+$/i)) }),
	v.strictObject({
		type: v.literal('quickReplies'),
		delay,
		title: text(1, 640),
		buttons: list(v.variant('type', [postback, goto]), 11),
	}),
	v.strictObject({ type: v.literal('card'), delay, ...card }),
	v.strictObject({ type: v.literal('cards'), delay, elements: v.pipe(v.array(v.strictObject(card)), v.minLength(1)) }),
	v.strictObject({ type: v.literal('goto'), interactionId: id }),
])
const types: readonly unknown[] = response.options.map(({ entries }) => entries.type.literal)
/** What an author wrote by hand, of a type whose limits are not documented. */
const byHand = v.custom<unknown>(
	(value) => !(typeof value === 'object' && value !== null && 'type' in value && types.includes(value.type)),
)
const responses = v.pipe(v.array(v.union([response, byHand])), v.maxLength(99))
const strings = v.record(v.string(), v.string())

/** The bodies of a call and, where it is read, of an answer. */
export const limits = {
	// https://chatbot.com/docsv1/webhooks, "Webhook schema": backends read all of it unasked, down to contexts[].parameters.
	event: v.strictObject({
		conversationId: v.optional(v.string()),
		result: v.strictObject({
			source: v.string(),
			resolvedQuery: v.string(),
			confidence: v.optional(v.number()),
			score: v.optional(v.number()),
			lifespan: v.optional(v.number()),
			incomplete: v.optional(v.boolean()),
			storyId: v.string(),
			interaction: v.strictObject({ id: v.string(), name: v.string(), action: v.string() }),
			parameters: strings,
			sessionParameters: strings,
			contexts: v.array(
				v.strictObject({ id: v.optional(v.string()), name: v.string(), action: v.string(), parameters: strings }),
			),
			fulfillment: v.array(v.unknown()),
		}),
		sessionId: v.pipe(v.string(), v.nonEmpty()),
		timestamp: v.pipe(v.string(), v.isoTimestamp()),
		status: v.strictObject({ code: v.number(), type: v.string() }),
	}),
	reply: v.strictObject({ responses: v.optional(responses), parameters: v.optional(strings) }),
}
