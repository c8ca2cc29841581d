/** The answer to an interaction's webhook: https://chatbot.com/docsv1/object-definitions, "Available responses". */
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
	Json,
	jsonResponse,
	type Message,
	matches,
	NativeItem,
	NonEmpty,
	nonEmpty,
	nonEmptyList,
	type Path,
	type ReplyLeg,
	requireOneOf,
	reservedKeys,
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
} from '../chatbot/reply.ts'
import { mergeTags } from '../chatbot/webhook.ts'
import type { Options } from './options.ts'

const name = 'chatbot-v1'

const delay = v.nullish(WireCount)
// The samples print `filters: []`, which their own table forbids.
const filters = v.nullish(wireList(WireJson))
const WireButton = v.object({
	type: WireOptionalText,
	title: WireOptionalText,
	value: WireOptionalText,
	// Instead of a type and a value, in 2018: https://gist.github.com/dzabrzenski/280d68affc865f7c530895d9cb9d36dd
	postback: WireOptionalText,
})
type WireButton = v.InferOutput<typeof WireButton>
const buttons = v.nullish(wireList(WireButton))
const card = { title: WireNonEmpty, subtitle: WireOptionalText, imageUrl: WireOptionalText, buttons, filters }
const WireCard = v.object(card)
type WireCard = v.InferOutput<typeof WireCard>

const Response = v.variant('type', [
	v.object({ type: v.literal('text'), delay, elements: wireList(WireText), filters }),
	v.object({ type: v.literal('image'), delay, imageUrl: WireNonEmpty, filters }),
	v.object({ type: v.literal('quickReplies'), delay, title: WireNonEmpty, buttons, filters }),
	v.object({ type: v.literal('card'), delay, ...card }),
	v.object({ type: v.literal('cards'), delay, elements: wireList(WireCard), filters }),
	v.object({ type: v.literal('goto'), interactionId: WireNonEmpty, filters }),
	v.object({ type: v.literal('setAttributes'), elements: v.nullish(wireList(WireJson)), filters }),
])
type Response = v.InferOutput<typeof Response>

/** What a `setAttributes` does that `parameters` do as well. Its other actions are not documented. */
const Setting = v.strictObject({
	name: v.pipe(NonEmpty, v.notValues([...reservedKeys])),
	action: v.nullish(v.literal('set')),
	value: v.pipe(
		Json,
		v.check((value) => value !== null, 'must not be null'),
	),
})

const Answer = v.object({ responses: v.nullish(wireList(WireJson)), parameters: WireAttributes })

const maxNatives = 10
/** Responses of types for which the model has no field, as the platform writes them. */
const Native = v.strictObject({ responses: v.pipe(v.array(NativeItem), v.nonEmpty(), v.maxLength(maxNatives)) })
const OptionalNative = v.optional(Native)

const interaction = '^[0-9a-fA-F]{24}$'

const carries: Carries<CanonicalReply> = {
	reply: { bytes: 100_000 },
	// Of 99 responses one is kept for a goto, and some for what the model has no word for.
	'reply.messages': { items: 98 - maxNatives },
	// A blank one would be an empty bubble.
	'reply.text': { chars: 1024, notBlank: true },
	'reply.text.alternatives': { items: 19, withoutButtons: true },
	'reply.text.buttons': { items: 3, chars: 80 },
	'reply.image': { chars: 1024, pattern: '^[Hh][Tt][Tt][Pp][Ss]?://\\S+$', blanks: 'encoded' },
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
		native: { name, schema: Native },
		mergeTags,

		decode: blankIsSilence((answer) => {
			// Whatever its media type: PHP labels JSON as HTML by default.
			const body = bodyAsJson(answer)
			const { wire, unread } = validate(Answer, body)
			// `{}` says nothing; an answer such as `{"error": …}` is none.
			if (unread.length > 0) requireOneOf(body, Object.keys(Answer.entries))
			let goto: string | undefined
			const session: { [name: string]: Json } = { ...wire.parameters }
			const responses = decodeTyped(wire.responses, {
				schema: Response,
				at: ['responses'],
				decode(response, at) {
					if (response.type === 'setAttributes') return decodeAttributes(response, session, at)
					const unread = unreadParts(response, at)
					if (response.type !== 'goto') return { messages: decodeMessage(response), unread }
					if (goto !== undefined) return { unread: [...unread, fieldPath(at)] }
					goto = response.interactionId
					return { unread }
				},
			})
			const natives = nonEmptyList(responses.natives)
			return {
				model: compact<CanonicalReply>({
					messages: responses.messages,
					attributes: { session, user: {} },
					control: goto === undefined ? undefined : { goto },
					overrides: natives && { [name]: { responses: natives } },
				}),
				unread: [...unread, ...responses.unread],
			}
		}),

		encode({ messages, attributes, control, overrides }) {
			const natives = v.parse(OptionalNative, overrides?.[name])?.responses ?? []
			const jumps = control?.goto === undefined ? [] : [{ type: 'goto', interactionId: control.goto }]
			return jsonResponse({
				responses: nonEmptyList([...messages.map(encodeMessage), ...natives, ...jumps]),
				parameters: compactOrNone(attributes.session),
			})
		},
	}
}

/** Adds what is set to the session. Settings under a condition, and other actions, stay native. */
function decodeAttributes(
	{ type, elements, filters }: Extract<Response, { type: 'setAttributes' }>,
	session: { [name: string]: Json },
	at: Path,
): { natives: Json[]; unread: string[] } {
	const condition = nonEmptyList(filters ?? [])
	const others: Json[] = []
	for (const element of elements ?? []) {
		if (!condition && matches(Setting, element)) session[element.name] = element.value
		else others.push(element)
	}
	return {
		natives: others.length > 0 ? [{ type, elements: others, ...(condition && { filters: condition }) }] : [],
		unread: elements?.length ? [] : [fieldPath(at)],
	}
}

/** No message for a response without content. */
function decodeMessage(response: Exclude<Response, { type: 'goto' | 'setAttributes' }>): Message[] {
	const delay = response.delay ?? undefined
	switch (response.type) {
		case 'text':
			return decodeTexts(response.elements, delay)
		case 'image':
			return [compact<Message>({ type: 'image', delay, url: response.imageUrl })]
		case 'quickReplies':
			return [decodeQuickReplies(response.title, decodeButtons(response), delay)]
		case 'card': {
			const card = decodeCard(response, decodeButtons(response))
			return card.subtitle === undefined && card.imageUrl === undefined
				? [decodeButtonText(card.title, card.buttons, delay)]
				: [compact<Message>({ type: 'cards', delay, cards: [card] })]
		}
		case 'cards': {
			const cards = nonEmptyList(response.elements.map((card) => decodeCard(card, decodeButtons(card))))
			return cards ? [compact<Message>({ type: 'cards', delay, cards })] : []
		}
	}
}

function encodeMessage(message: Message): object {
	if (message.type !== 'text') return encodeRichMessage(message)
	const { delay, text, alternatives = [], buttons } = message
	if (buttons) return { type: 'card', delay, title: text, buttons: buttons.map(encodeButton) }
	return { type: 'text', delay, elements: [text, ...alternatives] }
}

function decodeButtons({ buttons }: { buttons?: WireButton[] | null | undefined }): Button[] | undefined {
	return nonEmptyList((buttons ?? []).flatMap(decodeOldButton))
}

/** This version has no pages inside the chat and no calls. */
function decodeOldButton({ type = 'postback', title, value, postback }: WireButton): Button[] {
	if (type === 'webview' || type === 'phone') return []
	return decodeButton({ type, title, value: nonEmpty(value) ?? postback })
}

/** Paths of filters, and of buttons without a meaning. */
function unreadParts(part: Response | WireCard, at: Path): string[] {
	const buttons = ('buttons' in part && part.buttons) || []
	const cards = 'type' in part && part.type === 'cards' ? part.elements : []
	return [
		...(part.filters?.length ? [fieldPath([...at, 'filters'])] : []),
		...buttons.flatMap((each, i) => (decodeOldButton(each).length > 0 ? [] : fieldPath([...at, 'buttons', i]))),
		...cards.flatMap((each, i) => unreadParts(each, [...at, 'elements', i])),
	]
}
