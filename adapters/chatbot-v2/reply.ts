/** The answer to a webhook's call: https://www.chatbot.com/docs/webhooks/, "Available Bot Responses". */
import * as v from 'valibot'
import {
	type Button,
	blankIsSilence,
	bodyAsJson,
	type CanonicalReply,
	type Carries,
	compact,
	compactOrNone,
	decodeTyped,
	fieldPath,
	jsonResponse,
	type Message,
	matches,
	NativeItem,
	nonEmptyList,
	type Path,
	type ReplyLeg,
	requireOneOf,
	validate,
	WireAttributes,
	WireCount,
	WireJson,
	WireNonEmpty,
	WireOptionalText,
	WireText,
	wireList,
} from '../../src/format/index.ts'
import {
	decodeButton,
	decodeButtonText,
	decodeCard,
	decodeQuickReplies,
	decodeTexts,
	encodeButton,
	encodeRichMessage,
	Height,
} from '../chatbot/reply.ts'
import { mergeTags } from '../chatbot/webhook.ts'
import type { Options } from './options.ts'

const name = 'chatbot-v2'

// What the platform waits, in milliseconds, before a response that does not say how long.
const delay = v.nullish(WireCount, 1000)
const WireButton = v.object({
	type: v.string(),
	title: WireOptionalText,
	value: WireOptionalText,
	// Of a webview. A button is shown whatever stands here.
	height: v.nullish(v.unknown()),
})
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(wireList(WireButton))
const WireCard = v.object({
	title: WireNonEmpty,
	subtitle: WireOptionalText,
	imageUrl: WireOptionalText,
	buttons,
})
type WireCard = v.InferOutput<typeof WireCard>

const Response = v.variant('type', [
	v.object({ type: v.literal('text'), delay, message: WireText }),
	v.object({ type: v.literal('randomText'), delay, messages: wireList(WireText) }),
	v.object({ type: v.literal('image'), delay, imageUrl: WireNonEmpty }),
	v.object({ type: v.literal('quickReplies'), delay, title: WireNonEmpty, buttons }),
	v.object({ type: v.literal('buttons'), delay, title: WireNonEmpty, buttons }),
	v.object({ type: v.literal('cards'), delay, elements: wireList(WireCard) }),
	// The documentation's sample of buttons says `cards`, where its table says `buttons`.
	v.object({ type: v.literal('cards'), delay, title: WireNonEmpty, buttons }),
])
type Response = v.InferOutput<typeof Response>

const Answer = v.object({
	responses: v.nullish(wireList(WireJson)),
	attributes: WireAttributes,
	// What a template of the vendor's answers: ChatBotCom/package-tracking-template, functions/index.js.
	parameters: WireAttributes,
})

/** Responses of types for which the model has no field, as the platform writes them. */
const Native = v.strictObject({ responses: v.pipe(v.array(NativeItem), v.nonEmpty()) })

const carries: Carries<CanonicalReply> = {
	reply: { bytes: 100_000 },
	'reply.messages': {},
	// A blank one would be an empty bubble.
	'reply.text': { chars: 1024, notBlank: true },
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
		native: { name, schema: Native },
		mergeTags,

		decode: blankIsSilence((answer) => {
			// Whatever its media type: PHP labels JSON as HTML by default.
			const body = bodyAsJson(answer)
			const { wire, unread } = validate(Answer, body)
			// `{}` says nothing; an answer such as `{"error": …}` is none.
			if (unread.length > 0) requireOneOf(body, Object.keys(Answer.entries))
			const responses = decodeTyped(wire.responses, {
				schema: Response,
				at: ['responses'],
				decode: (response, at) => ({ messages: decodeMessage(response), unread: unreadButtons(response, at) }),
			})
			const natives = nonEmptyList(responses.natives)
			return {
				model: compact<CanonicalReply>({
					messages: responses.messages,
					attributes: { session: { ...wire.parameters, ...wire.attributes }, user: {} },
					overrides: natives && { [name]: { responses: natives } },
				}),
				unread: [...unread, ...responses.unread],
			}
		}),

		encode({ messages, attributes, overrides }) {
			const native = overrides?.[name]
			const natives = native === undefined ? [] : v.parse(Native, native).responses
			return jsonResponse({
				responses: nonEmptyList([...messages.map(encodeMessage), ...natives]),
				attributes: compactOrNone(attributes.session),
			})
		},
	}
}

/** No message for a response without content. */
function decodeMessage(response: Response): Message[] {
	const { delay } = response
	switch (response.type) {
		case 'text':
			return decodeTexts([response.message], delay)
		case 'randomText':
			return decodeTexts(response.messages, delay)
		case 'image':
			return [{ type: 'image', delay, url: response.imageUrl }]
		case 'quickReplies':
			return [decodeQuickReplies(response.title, decodeButtons(response), delay)]
		case 'buttons':
			return [decodeButtonText(response.title, decodeButtons(response), delay)]
		case 'cards': {
			if ('title' in response) return decodeMessage({ ...response, type: 'buttons' })
			const cards = nonEmptyList(response.elements.map((card) => decodeCard(card, decodeButtons(card))))
			return cards ? [{ type: 'cards', delay, cards }] : []
		}
	}
}

function encodeMessage(message: Message): object {
	if (message.type !== 'text') return encodeRichMessage(message)
	const { delay, text, alternatives, buttons } = message
	if (alternatives) return { type: 'randomText', delay, messages: [text, ...alternatives] }
	if (buttons) return { type: 'buttons', delay, title: text, buttons: buttons.map(encodeButton) }
	return { type: 'text', delay, message: text }
}

function decodeButtons({ buttons }: { buttons?: WireButton[] | null | undefined }): Button[] | undefined {
	return nonEmptyList((buttons ?? []).flatMap(decodeButton))
}

/** Paths of buttons without a meaning, and of heights that the platform does not have. */
function unreadButtons(part: Response | WireCard, at: Path): string[] {
	const buttons = ('buttons' in part && part.buttons) || []
	const cards = ('elements' in part && part.elements) || []
	return [
		...buttons.flatMap((each, i) => {
			const here = [...at, 'buttons', i]
			if (decodeButton(each).length === 0) return fieldPath(here)
			return matches(v.nullish(Height), each.height) ? [] : fieldPath([...here, 'height'])
		}),
		...cards.flatMap((each, i) => unreadButtons(each, [...at, 'elements', i])),
	]
}
