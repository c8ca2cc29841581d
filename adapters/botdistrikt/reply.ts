/** The answer to a webhook's call: https://docs.botdistrikt.com/features/responses/webhooks, "Webhook Response". */
import * as v from 'valibot'
import {
	blankIsSilence,
	bodyAsJson,
	type CanonicalEvent,
	compactOrNone,
	decodeLabels,
	encodeLabels,
	jsonResponse,
	type Message,
	nonEmptyList,
	type ReplyLeg,
	requireOneOf,
	unreachable,
	validate,
	WireAttributes,
	WireText,
	wireList,
} from '../../src/format/index.ts'
import type { Options } from './options.ts'

// A backend in a language without types may answer a number.
const Words = v.nullish(wireList(WireText), [])

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
			'reply.text': { notBlank: true },
			'reply.choices': { items: choices },
			'reply.choice.title': {},
			'reply.attributes.session': {},
			'reply.attributes.user': {},
		},
		mergeTags: {
			spellings: [
				{ open: '{{memory.', close: '}}', scope: 'session' },
				{ open: '{{user.', close: '}}', scope: 'user' },
			],
			fieldOf: userField,
		},

		decode: blankIsSilence((answer) => {
			// Whatever its media type: which one the platform wants is not documented, and PHP labels JSON as HTML by default.
			const body = bodyAsJson(answer)
			const { wire, unread } = validate(Answer, body)
			// The page wants one of them, and an answer such as `{"error": …}` is none.
			requireOneOf(body, Object.keys(Answer.entries))
			return {
				model: {
					messages: [...wire.responses.flatMap(decodeText), ...decodeLabels(wire.quickreplies)],
					attributes: { session: wire.memory, user: wire.user_attributes },
				},
				unread,
			}
		}),

		encode({ messages, attributes }) {
			const { status, headers, body } = jsonResponse({
				responses: messages.flatMap(encodeText),
				memory: compactOrNone(attributes.session),
				user_attributes: compactOrNone(attributes.user),
				quickreplies: nonEmptyList(messages.flatMap(encodeLabels)),
			})
			// The call may be a GET, whose answer a proxy may cache.
			return { status, headers: [...headers, ['cache-control', 'no-store']], body }
		},
	}
}

function decodeText(text: string): Message[] {
	return text === '' ? [] : [{ type: 'text', text }]
}

function encodeText(message: Message): string[] {
	if (message.type === 'choices') return []
	return message.type === 'text' ? [message.text] : unreachable(message)
}

/** The fields of a user's profile that the model has apart from its attributes. */
function userField(name: string, { user }: CanonicalEvent): string | undefined {
	switch (name) {
		case 'id':
		case 'name':
		case 'email':
		case 'phone':
			return user?.[name]
		default:
			return undefined
	}
}
