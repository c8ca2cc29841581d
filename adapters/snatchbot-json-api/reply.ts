/** The answer to an interaction's call: https://support.snatchbot.me/docs/json-api */
import * as v from 'valibot'
import {
	blankIsSilence,
	bodyAsJson,
	bodyMatches,
	type CanonicalEvent,
	type CanonicalReply,
	type Carries,
	compact,
	decodeLabels,
	encodeLabels,
	GatewayError,
	Id,
	jsonResponse,
	type Message,
	nonEmptyList,
	type ReplyLeg,
	validate,
	WireFlag,
	WireJson,
	WireOptionalText,
	type WireResponse,
	WireText,
	wireList,
} from '../../src/format/index.ts'
import { decodeCards, encodeCard, NativeCard } from './cards.ts'
import { marker, type Options } from './options.ts'

const name = 'snatchbot-json-api'

const Answer = v.object({
	// These repeat the call's.
	user_id: v.nullish(Id),
	bot_id: v.nullish(Id),
	module_id: v.nullish(Id),
	message: WireOptionalText,
	cards: v.nullish(wireList(WireJson)),
	suggested_replies: v.nullish(wireList(WireText), []),
	blocked_input: WireFlag,
})

/** Cards of types for which the model has no field, as the platform writes them. */
const Native = v.strictObject({ cards: v.pipe(v.array(NativeCard), v.nonEmpty()) })
const OptionalNative = v.optional(Native)

/** An absolute URL of any scheme; the page's own samples have a blank in theirs. */
const address = { blanks: 'encoded', pattern: '^[A-Za-z][A-Za-z\\d+.-]*:\\S+$' } as const

const carries: Carries<CanonicalReply> = {
	'reply.messages': { single: true, order: [['text'], ['buttons', 'image', 'cards'], ['choices']] },
	'reply.text.buttons': {},
	'reply.image': address,
	'reply.choices': {},
	'reply.choice.title': {},
	'reply.cards': {},
	'reply.card.title': {},
	'reply.card.subtitle': {},
	'reply.card.image': address,
	'reply.card.url': address,
	'reply.card.buttons': {},
	'reply.button.title': {},
	// A fragment alone is a link to nowhere, which public bots write on their cards.
	'reply.button.link': { blanks: 'encoded', pattern: '^(?:[A-Za-z][A-Za-z\\d+.-]*:\\S+|#\\S*)$' },
	'reply.button.goto': { pattern: '^\\d+$' },
	'reply.control.blockInput': {},
}

/** The marker, and an end of the text that would be one together with the marker behind it. */
const markup = ':(?=:next(?:::|:?(?![\\s\\S])))'

export function replyLeg({ filler }: Options, { bot, user, trigger }: CanonicalEvent): ReplyLeg {
	return {
		// A message of blanks is as good as an empty one, which is an error there.
		carries: { ...carries, 'reply.text': { notBlank: true, default: filler, escape: markup } },
		native: { name, schema: Native },

		decode: blankIsSilence((answer) => {
			// Whatever its media type: PHP labels JSON as HTML by default, and most servers of this format are in PHP.
			const { wire, unread } = validate(Answer, bodyAsJson(answer))
			const cards = decodeCards(wire.cards)
			const natives = nonEmptyList(cards.natives)
			const messages = [
				...(wire.message ?? '').split(marker).flatMap(decodeText),
				...cards.messages,
				...decodeLabels(wire.suggested_replies),
			]
			// The platform shows its own error text then.
			if (messages.length === 0 && !natives) throw noContent
			return {
				model: compact<CanonicalReply>({
					messages,
					attributes: { session: {}, user: {} },
					control: wire.blocked_input ? { blockInput: true } : undefined,
					overrides: natives && { [name]: { cards: natives } },
				}),
				unread: [...unread, ...cards.unread],
				...(cards.added && { added: cards.added }),
			}
		}),

		encode({ messages, control, overrides }) {
			const natives = v.parse(OptionalNative, overrides?.[name])?.cards ?? []
			return jsonResponse({
				user_id: user?.id,
				bot_id: bot?.id,
				module_id: trigger?.id,
				message: messages.flatMap(encodeText).join(marker),
				cards: nonEmptyList([...messages.flatMap(encodeCard), ...natives]),
				suggested_replies: nonEmptyList(messages.flatMap(encodeLabels)),
				blocked_input: control?.blockInput,
			})
		},
	}
}

/** An answer with neither words nor cards nor suggestions. */
const noContent = new GatewayError('field-invalid', {
	field: 'message',
	expected: 'a text that is not empty, unless there are cards or suggested_replies',
})

/** The answer to the builder's check: valid, and never shown. */
export function setUpAnswer({ filler }: Options): WireResponse {
	return jsonResponse({ message: filler })
}

/** Whether the platform would show it as an answer. */
export function isAnswer(answer: WireResponse): boolean {
	return answer.status === 200 && bodyMatches(answer, (body) => /\S/.test(validate(Answer, body).wire.message ?? ''))
}

function decodeText(text: string): Message[] {
	return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function encodeText(message: Message): string[] {
	return message.type === 'text' && !message.buttons ? [message.text] : []
}
