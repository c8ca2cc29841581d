/** The answer to a webhook's call: https://docs.botdistrikt.com/features/responses/webhooks, "Webhook Response". */
import * as v from 'valibot'
import {
	compactOrNone,
	emptyReply,
	GatewayError,
	jsonResponse,
	type Message,
	nonEmptyList,
	type ReplyLeg,
	readJson,
	validate,
	WireAttributes,
} from '../../src/format/index.ts'
import type { Options } from './options.ts'

// A backend in a language without types answers a number where it has one.
const Words = v.nullish(v.array(v.pipe(v.union([v.string(), v.number()]), v.transform(String))), [])

const Answer = v.object({
	responses: Words,
	memory: WireAttributes,
	user_attributes: WireAttributes,
	quickreplies: Words,
})

export function replyLeg({ choices }: Options): ReplyLeg {
	return {
		carries: {
			'reply.messages': { single: true, order: [['text'], ['choices']] },
			'reply.text': {},
			'reply.choices': { items: choices },
			'reply.choice.title': {},
			'reply.attributes.session': {},
			'reply.attributes.user': {},
		},

		decode(answer) {
			if (answer.body.trim() === '') return { model: emptyReply, unread: [] }
			// Whatever its type: which one the platform wants is not documented, and PHP labels JSON as HTML unless told otherwise.
			const { wire, unread } = validate(Answer, readJson(answer.body))
			return {
				model: {
					messages: [...wire.responses.flatMap(decodeText), ...decodeChoices(wire.quickreplies)],
					attributes: { session: wire.memory, user: wire.user_attributes },
				},
				unread,
			}
		},

		encode({ messages, attributes }) {
			const { status, headers, body } = jsonResponse({
				responses: messages.flatMap(encodeText),
				memory: compactOrNone(attributes.session),
				user_attributes: compactOrNone(attributes.user),
				quickreplies: nonEmptyList(messages.flatMap(encodeChoices)),
			})
			// The call may be a GET, which whoever stands between may keep.
			return { status, headers: [...headers, ['cache-control', 'no-store']], body }
		},
	}
}

function decodeText(text: string): Message[] {
	return text === '' ? [] : [{ type: 'text', text }]
}

function encodeText(message: Message): string[] {
	if (message.type === 'choices') return []
	if (message.type !== 'text') throw new GatewayError('internal', { field: message.type })
	return [message.text]
}

/** A quick reply comes back as its label. */
function decodeChoices(labels: readonly string[]): Message[] {
	const choices = nonEmptyList(labels.filter((label) => label !== '').map((title) => ({ title, value: title })))
	return choices ? [{ type: 'choices', choices }] : []
}

function encodeChoices(message: Message): string[] {
	return message.type === 'choices' ? message.choices.map(({ title }) => title) : []
}
