/** The answer to an interaction's call: https://support.snatchbot.me/docs/json-api */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	type CanonicalReply,
	type Carries,
	compact,
	emptyReply,
	Json,
	jsonResponse,
	type Message,
	nonEmptyList,
	type ReplyLeg,
	readJson,
	validate,
	type WireResponse,
} from '../../src/format/index.ts'
import { decodeCards, encodeCard, Native } from './cards.ts'
import { marker, type Options } from './options.ts'

const name = 'snatchbot-json-api'

const Id = v.nullish(v.union([v.string(), v.number()]))
const Label = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

const Answer = v.object({
	// Repeats what the call said.
	user_id: Id,
	bot_id: Id,
	module_id: Id,
	message: v.nullish(v.string(), ''),
	cards: v.nullish(v.array(Json)),
	suggested_replies: v.nullish(v.array(Label), []),
	blocked_input: v.nullish(v.boolean()),
})

/** Cards of types that the model has not, as the platform writes them. */
const Own = v.strictObject({ cards: v.pipe(v.array(Native), v.nonEmpty()) })

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
	'reply.button.link': address,
	'reply.button.goto': { pattern: '^\\d+$' },
	'reply.control.blockInput': {},
}

/** The marker, and an end of the text that would be one together with the marker behind it. */
const markup = ':(?=:next(?:::|:?(?![\\s\\S])))'

export function replyLeg({ filler }: Options, { bot, user, trigger }: CanonicalEvent): ReplyLeg {
	return {
		// A message of blanks is as good as an empty one, which is an error there.
		carries: { ...carries, 'reply.text': { notBlank: true, default: filler, escape: markup } },
		native: { name, schema: Own },

		decode(answer) {
			if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
			// Whatever its type: PHP labels JSON as HTML unless told otherwise, and most servers of this format are in PHP.
			const { wire, unread } = validate(Answer, readJson(answer.body))
			const cards = decodeCards(wire.cards ?? [])
			return {
				model: compact<CanonicalReply>({
					messages: [
						...wire.message.split(marker).flatMap(decodeText),
						...cards.messages,
						...decodeChoices(wire.suggested_replies),
					],
					attributes: { session: {}, user: {} },
					control: wire.blocked_input ? { blockInput: true } : undefined,
					overrides: cards.natives.length > 0 ? { [name]: { cards: cards.natives } } : undefined,
				}),
				unread: [...unread, ...cards.unread],
			}
		},

		encode({ messages, control, overrides }) {
			const natives = v.parse(v.optional(Own), overrides?.[name])?.cards ?? []
			return jsonResponse({
				user_id: user?.id,
				bot_id: bot?.id,
				module_id: trigger?.id,
				message: messages.flatMap(encodeText).join(marker),
				cards: nonEmptyList([...messages.flatMap(encodeCard), ...natives]),
				suggested_replies: nonEmptyList(messages.flatMap(encodeChoices)),
				blocked_input: control?.blockInput,
			})
		},
	}
}

/** The answer to the builder's check: valid, and never shown. */
export function setUpAnswer({ filler }: Options): WireResponse {
	return jsonResponse({ message: filler })
}

/** Whether the platform would show it as an answer. */
export function isAnswer({ status, body }: WireResponse): boolean {
	try {
		return status === 200 && /\S/.test(validate(Answer, readJson(body)).wire.message)
	} catch {
		return false
	}
}

function decodeText(text: string): Message[] {
	return text.trim() === '' ? [] : [{ type: 'text', text }]
}

function encodeText(message: Message): string[] {
	return message.type === 'text' && !message.buttons ? [message.text] : []
}

/** A suggestion comes back as its label. */
function decodeChoices(labels: readonly string[]): Message[] {
	const choices = nonEmptyList(labels.filter((label) => label !== '').map((title) => ({ title, value: title })))
	return choices ? [{ type: 'choices', choices }] : []
}

function encodeChoices(message: Message): string[] {
	return message.type === 'choices' ? message.choices.map(({ title }) => title) : []
}
