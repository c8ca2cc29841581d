/** The answer to a webhook's call: https://www.chatbot.com/docs/webhooks/, "Available Bot Responses". */
import * as v from 'valibot'
import {
	type Button,
	type CanonicalReply,
	type Card,
	type Carries,
	type Choice,
	compact,
	compactOrNone,
	emptyReply,
	fieldPath,
	GatewayError,
	Json,
	jsonResponse,
	type Message,
	nonEmpty,
	nonEmptyList,
	type ReplyLeg,
	readJsonBody,
	validate,
	WireAttributes,
} from '../../src/format/index.ts'
import type { Options } from './options.ts'

const name = 'chatbot-v2'

const Said = v.pipe(v.string(), v.nonEmpty())
// What the platform waits, in milliseconds, before a response that does not say how long.
const delay = v.nullish(v.pipe(v.number(), v.minValue(0), v.transform(Math.round)), 1000)
const Height = v.picklist(['compact', 'tall', 'full'])
const WireButton = v.object({
	type: v.string(),
	title: v.nullish(v.string()),
	value: v.nullish(v.string()),
	// Of a webview. A button is shown whatever stands here.
	height: v.nullish(v.unknown()),
})
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(v.array(WireButton))
const WireCard = v.object({ title: Said, subtitle: v.nullish(v.string()), imageUrl: v.nullish(v.string()), buttons })
type WireCard = v.InferOutput<typeof WireCard>

const Response = v.variant('type', [
	v.object({ type: v.literal('text'), delay, message: v.string() }),
	v.object({ type: v.literal('randomText'), delay, messages: v.array(v.string()) }),
	v.object({ type: v.literal('image'), delay, imageUrl: Said }),
	v.object({ type: v.literal('quickReplies'), delay, title: Said, buttons }),
	v.object({ type: v.literal('buttons'), delay, title: Said, buttons }),
	v.object({ type: v.literal('cards'), delay, elements: v.array(WireCard) }),
	// The documentation's sample of buttons says `cards`, where its table says `buttons`.
	v.object({ type: v.literal('cards'), delay, title: Said, buttons }),
])
type Response = v.InferOutput<typeof Response>
type Text = Extract<Message, { type: 'text' }>

/** Whatever is of one of the types above, and so has to be as the platform has it. */
const Known = v.object({ type: v.picklist(Response.options.map(({ entries }) => entries.type.literal)) })

const Answer = v.object({
	responses: v.nullish(v.array(Json)),
	attributes: WireAttributes,
	// What a template of the vendor's answers: ChatBotCom/package-tracking-template, functions/index.js.
	parameters: WireAttributes,
})

/** Responses of types that the model has not, as the platform writes them. */
const Own = v.strictObject({ responses: v.pipe(v.array(Json), v.nonEmpty()) })

const carries: Carries<CanonicalReply> = {
	reply: { bytes: 100_000 },
	'reply.messages': {},
	'reply.text': { chars: 1024 },
	'reply.text.alternatives': { items: 19, withoutButtons: true },
	'reply.text.buttons': { items: 5, chars: 640 },
	'reply.image': { chars: 2048 },
	'reply.choices': { items: 13 },
	'reply.choices.text': { chars: 640, required: true },
	'reply.choice.title': { chars: 20 },
	'reply.choice.value': { chars: 2000 },
	'reply.choice.goto': { pattern: uuid() },
	'reply.cards': {},
	'reply.card.title': { chars: 80 },
	'reply.card.subtitle': { chars: 80, required: true },
	'reply.card.image': { chars: 2048, required: true },
	'reply.card.buttons': { items: 5, required: true },
	'reply.button.title': { chars: 20 },
	'reply.button.postback': { chars: 2000 },
	'reply.button.link': { chars: 2048 },
	'reply.button.webview': { chars: 2048 },
	'reply.button.webview.height': { required: true, values: ['compact', 'tall', 'full'] },
	'reply.button.phone': { chars: 16, pattern: '^\\+\\d{2,15}$' },
	'reply.button.goto': { pattern: uuid() },
	'reply.delay': { min: 100, max: 10_000, default: 100 },
	'reply.attributes.session': { strings: true },
}

/** Ids of blocks are of version 4. */
function uuid(): string {
	const hex = (digits: number) => `[0-9a-fA-F]{${digits}}`
	return `^${hex(8)}-${hex(4)}-4${hex(3)}-[89abAB]${hex(3)}-${hex(12)}$`
}

export function replyLeg({ userAttributes }: Options): ReplyLeg {
	return {
		carries: {
			...carries,
			...(userAttributes === 'session' && { 'reply.attributes.user': { foldedInto: 'session' } }),
		},
		native: { name, schema: Own },

		decode(answer) {
			if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
			const { wire, unread } = validate(Answer, readJsonBody(answer))
			const messages: Message[] = []
			const natives: Json[] = []
			for (const [i, each] of (wire.responses ?? []).entries()) {
				if (!v.is(Known, each)) {
					natives.push(each)
					continue
				}
				const at = ['responses', i]
				const { wire: response, unread: unlisted } = validate(Response, each, at)
				unread.push(...unlisted, ...unreadButtons(response, at))
				messages.push(...decodeMessage(response))
			}
			const model: CanonicalReply = {
				messages,
				attributes: { session: { ...wire.parameters, ...wire.attributes }, user: {} },
				overrides: natives.length > 0 ? { [name]: { responses: natives } } : undefined,
			}
			return { model: compact(model), unread }
		},

		encode({ messages, attributes, overrides }) {
			const natives = v.parse(v.optional(Own), overrides?.[name])?.responses ?? []
			return jsonResponse({
				responses: nonEmptyList([...messages.map(encodeMessage), ...natives]),
				attributes: compactOrNone(attributes.session),
			})
		},
	}
}

/** Buttons of which nothing can be made, and heights that are none. */
function unreadButtons(part: Response | WireCard, at: readonly (string | number)[]): string[] {
	const buttons = ('buttons' in part && part.buttons) || []
	const cards = ('elements' in part && part.elements) || []
	return [
		...buttons.flatMap((each, i) => {
			const here = [...at, 'buttons', i]
			if (decodeButton(each).length === 0) return fieldPath(here)
			return v.is(v.nullish(Height), each.height) ? [] : fieldPath([...here, 'height'])
		}),
		...cards.flatMap((each, i) => unreadButtons(each, [...at, 'elements', i])),
	]
}

/** Nothing for a response that says nothing. */
function decodeMessage(response: Response): Message[] {
	const { delay } = response
	switch (response.type) {
		case 'text':
			return decodeTexts([response.message], delay)
		case 'randomText':
			return decodeTexts(response.messages, delay)
		case 'image':
			return [{ type: 'image', delay, url: response.imageUrl }]
		case 'quickReplies': {
			const buttons = decodeButtons(response)
			const choices = buttons?.flatMap(asChoice)
			// A link or a call is no choice: the platform has none here, but a backend may send one.
			return choices && choices.length === buttons?.length
				? [{ type: 'choices', delay, text: response.title, choices }]
				: [compact<Text>({ type: 'text', delay, text: response.title, buttons })]
		}
		case 'buttons':
			return [compact<Text>({ type: 'text', delay, text: response.title, buttons: decodeButtons(response) })]
		case 'cards': {
			if ('title' in response) return decodeMessage({ ...response, type: 'buttons' })
			const cards = nonEmptyList(response.elements.map(decodeCard))
			return cards ? [{ type: 'cards', delay, cards }] : []
		}
	}
}

function encodeMessage(message: Message): object {
	const { delay } = message
	switch (message.type) {
		case 'text': {
			const { text, alternatives, buttons } = message
			if (alternatives) return { type: 'randomText', delay, messages: [text, ...alternatives] }
			if (buttons) return { type: 'buttons', delay, title: text, buttons: buttons.map(encodeButton) }
			return { type: 'text', delay, message: text }
		}
		case 'image':
			return { type: 'image', delay, imageUrl: message.url }
		case 'choices':
			return {
				type: 'quickReplies',
				delay,
				title: message.text,
				buttons: message.choices.map(asButton).map(encodeButton),
			}
		case 'cards':
			return { type: 'cards', delay, elements: message.cards.map(encodeCard) }
		default:
			throw new GatewayError('internal', { field: message.type })
	}
}

function decodeTexts(texts: readonly string[], delay: number): Message[] {
	const [text, ...alternatives] = texts.filter((each) => each !== '')
	return text === undefined
		? []
		: [compact<Text>({ type: 'text', delay, text, alternatives: nonEmptyList(alternatives) })]
}

function decodeCard(card: WireCard): Card {
	const { title, subtitle, imageUrl } = card
	return compact({ title, subtitle: nonEmpty(subtitle), imageUrl: nonEmpty(imageUrl), buttons: decodeButtons(card) })
}

function encodeCard({ title, subtitle, imageUrl, buttons }: Card): object {
	return { title, subtitle, imageUrl, buttons: buttons?.map(encodeButton) }
}

function decodeButtons({ buttons }: { buttons?: WireButton[] | null | undefined }): Button[] | undefined {
	return nonEmptyList((buttons ?? []).flatMap(decodeButton))
}

/** Nothing for a type that is not known, and for a button without a title or an argument. */
function decodeButton({ type, title, value, height }: WireButton): Button[] {
	const label = nonEmpty(title) ?? nonEmpty(value)
	const argument = nonEmpty(value) ?? (type === 'postback' ? label : undefined)
	if (label === undefined || argument === undefined) return []
	switch (type) {
		case 'postback':
			return [{ type, title: label, value: argument }]
		case 'goto':
			return [{ type, title: label, target: argument }]
		case 'url':
			return [{ type: 'link', title: label, url: argument }]
		case 'webview':
			return [{ type, title: label, url: argument, height: v.is(Height, height) ? height : 'compact' }]
		case 'phone':
			return [{ type, title: label, number: argument }]
	}
	return []
}

function encodeButton(button: Button): object {
	const { type, title } = button
	switch (type) {
		case 'postback':
			return { type, title, value: button.value }
		case 'goto':
			return { type, title, value: button.target }
		case 'link':
			return { type: 'url', title, value: button.url }
		case 'webview':
			return { type, title, value: button.url, height: button.height }
		case 'phone':
			return { type, title, value: button.number }
	}
}

function asChoice(button: Button): Choice[] {
	if (button.type === 'postback') return [{ title: button.title, value: button.value }]
	return button.type === 'goto' ? [{ title: button.title, target: button.target }] : []
}

function asButton(choice: Choice): Button {
	return 'target' in choice ? { type: 'goto', ...choice } : { type: 'postback', ...choice }
}
