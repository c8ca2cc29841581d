/** The answer to an interaction's webhook: https://chatbot.com/docsv1/object-definitions, "Available responses". */
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

const name = 'chatbot-v1'

const Said = v.pipe(v.string(), v.nonEmpty())
const delay = v.nullish(v.pipe(v.number(), v.minValue(0), v.transform(Math.round)))
// The samples print `filters: []`, which their own table forbids.
const filters = v.nullish(v.array(Json))
const WireButton = v.object({
	type: v.nullish(v.string(), 'postback'),
	title: v.nullish(v.string()),
	value: v.nullish(v.string()),
	// Instead of a type and a value, in 2018: https://gist.github.com/dzabrzenski/280d68affc865f7c530895d9cb9d36dd
	postback: v.nullish(v.string()),
})
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(v.array(WireButton))
const card = { title: Said, subtitle: v.nullish(v.string()), imageUrl: v.nullish(v.string()), buttons, filters }
const WireCard = v.object(card)
type WireCard = v.InferOutput<typeof WireCard>

const Response = v.variant('type', [
	v.object({ type: v.literal('text'), delay, elements: v.array(v.string()), filters }),
	v.object({ type: v.literal('image'), delay, imageUrl: Said, filters }),
	v.object({ type: v.literal('quickReplies'), delay, title: Said, buttons, filters }),
	v.object({ type: v.literal('card'), delay, ...card }),
	v.object({ type: v.literal('cards'), delay, elements: v.array(WireCard), filters }),
	v.object({ type: v.literal('goto'), interactionId: Said, filters }),
])
type Response = v.InferOutput<typeof Response>

/** Whatever is of one of the types above, and so has to be as the platform has it. */
const Known = v.object({ type: v.picklist(Response.options.map(({ entries }) => entries.type.literal)) })

const Answer = v.object({ responses: v.nullish(v.array(Json)), parameters: WireAttributes })

/** Responses of types that the model has not, as the platform writes them. */
const maxNatives = 10
const Own = v.strictObject({ responses: v.pipe(v.array(Json), v.nonEmpty(), v.maxLength(maxNatives)) })

const interaction = '^[0-9a-fA-F]{24}$'

const carries: Carries<CanonicalReply> = {
	reply: { bytes: 100_000 },
	// Of 99 responses one is kept for a goto, and some for what the model has no word for.
	'reply.messages': { items: 98 - maxNatives },
	'reply.text': { chars: 1024 },
	'reply.text.alternatives': { items: 19, withoutButtons: true },
	'reply.text.buttons': { items: 3, chars: 80 },
	'reply.image': { chars: 1024, pattern: '^https?://\\S+$' },
	'reply.choices': { items: 11 },
	'reply.choices.text': { chars: 640, required: true },
	'reply.choice.title': {},
	'reply.choice.value': {},
	'reply.choice.goto': { pattern: interaction },
	'reply.cards': {},
	'reply.card.title': { chars: 80 },
	'reply.card.subtitle': { chars: 80 },
	'reply.card.image': { chars: 2048 },
	'reply.card.buttons': { items: 3, required: true },
	'reply.button.title': {},
	'reply.button.postback': {},
	'reply.button.link': {},
	'reply.button.goto': { pattern: interaction },
	// In no table, but in the platform's own calls and in its users' answers; the range is that of version 2.
	'reply.delay': { min: 100, max: 10_000 },
	'reply.attributes.session': { strings: true },
	'reply.control.goto': { pattern: interaction },
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
			let goto: string | undefined
			for (const [i, each] of (wire.responses ?? []).entries()) {
				if (!v.is(Known, each)) {
					natives.push(each)
					continue
				}
				const at = ['responses', i]
				const { wire: response, unread: unlisted } = validate(Response, each, at)
				unread.push(...unlisted, ...unreadParts(response, at))
				if (response.type !== 'goto') messages.push(...decodeMessage(response))
				else if (goto === undefined) goto = response.interactionId
				else unread.push(fieldPath(at))
			}
			const model: CanonicalReply = {
				messages,
				attributes: { session: wire.parameters, user: {} },
				control: goto === undefined ? undefined : { goto },
				overrides: natives.length > 0 ? { [name]: { responses: natives } } : undefined,
			}
			return { model: compact(model), unread }
		},

		encode({ messages, attributes, control, overrides }) {
			const natives = v.parse(v.optional(Own), overrides?.[name])?.responses ?? []
			const jumps = control?.goto === undefined ? [] : [{ type: 'goto', interactionId: control.goto }]
			return jsonResponse({
				responses: nonEmptyList([...messages.map(encodeMessage), ...natives, ...jumps]),
				parameters: compactOrNone(attributes.session),
			})
		},
	}
}

/** Filters, and buttons of which nothing can be made. */
function unreadParts(part: Response | WireCard, at: readonly (string | number)[]): string[] {
	const buttons = ('buttons' in part && part.buttons) || []
	const cards = 'type' in part && part.type === 'cards' ? part.elements : []
	return [
		...(part.filters?.length ? [fieldPath([...at, 'filters'])] : []),
		...buttons.flatMap((each, i) => (decodeButton(each).length > 0 ? [] : fieldPath([...at, 'buttons', i]))),
		...cards.flatMap((each, i) => unreadParts(each, [...at, 'elements', i])),
	]
}

/** Nothing for a response that says nothing. */
function decodeMessage(response: Exclude<Response, { type: 'goto' }>): Message[] {
	const delay = response.delay ?? undefined
	switch (response.type) {
		case 'text': {
			const [text, ...alternatives] = response.elements.filter((each) => each !== '')
			if (text === undefined) return []
			return [compact<Message>({ type: 'text', delay, text, alternatives: nonEmptyList(alternatives) })]
		}
		case 'image':
			return [compact<Message>({ type: 'image', delay, url: response.imageUrl })]
		case 'quickReplies': {
			const buttons = decodeButtons(response)
			const choices = buttons?.flatMap(asChoice)
			// A link is no choice: the platform has none here, but a backend may send one.
			return choices && choices.length === buttons?.length
				? [compact<Message>({ type: 'choices', delay, text: response.title, choices })]
				: [compact<Message>({ type: 'text', delay, text: response.title, buttons })]
		}
		case 'card': {
			const { title, subtitle, imageUrl, buttons } = decodeCard(response)
			return subtitle === undefined && imageUrl === undefined
				? [compact<Message>({ type: 'text', delay, text: title, buttons })]
				: [compact<Message>({ type: 'cards', delay, cards: [decodeCard(response)] })]
		}
		case 'cards': {
			const cards = nonEmptyList(response.elements.map(decodeCard))
			return cards ? [compact<Message>({ type: 'cards', delay, cards })] : []
		}
	}
}

function encodeMessage(message: Message): object {
	const { delay } = message
	switch (message.type) {
		case 'text': {
			const { text, alternatives = [], buttons } = message
			if (buttons) return { type: 'card', delay, title: text, buttons: buttons.map(encodeButton) }
			return { type: 'text', delay, elements: [text, ...alternatives] }
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

function decodeCard(card: Omit<WireCard, 'filters'>): Card {
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
function decodeButton({ type, title, value, postback }: WireButton): Button[] {
	const argument = nonEmpty(value) ?? nonEmpty(postback)
	const label = nonEmpty(title) ?? argument
	if (label === undefined) return []
	if (type === 'postback') return [{ type, title: label, value: argument ?? label }]
	if (argument === undefined) return []
	if (type === 'goto') return [{ type, title: label, target: argument }]
	return type === 'url' ? [{ type: 'link', title: label, url: argument }] : []
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
		default:
			throw new GatewayError('internal', { field: type })
	}
}

function asChoice(button: Button): Choice[] {
	if (button.type === 'postback') return [{ title: button.title, value: button.value }]
	return button.type === 'goto' ? [{ title: button.title, target: button.target }] : []
}

function asButton(choice: Choice): Button {
	return 'target' in choice ? { type: 'goto', ...choice } : { type: 'postback', ...choice }
}
