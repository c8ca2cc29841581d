/** The call of an interaction: https://support.snatchbot.me/docs/json-api, sample: /docs/using-the-json-api */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	compact,
	type EventLeg,
	formRequest,
	Json,
	mergeQuery,
	NonEmpty,
	nonEmpty,
	readForm,
	validate,
	type WireRequest,
} from '../../src/format/index.ts'

// A repeated name is a list and no text: the platform does not say which of the values counts.
const Text = v.nullish(v.string())

const Call = v.objectWithRest(
	{
		bot_id: Text,
		user_id: NonEmpty,
		module_id: Text,
		channel: Text,
		incoming_message: Text,
		// Not in the documentation: https://github.com/pragnakalp/dialogflow-connector-for-snatchbot-using-python, app.py
		session_id: Text,
	},
	// What the author adds in the builder, and the query of the configured URL.
	Json,
)

const names = Object.keys(Call.entries)

/** Ids of bots and interactions. A server may refuse a call without one: "Mandatory fields in requests". */
const digits = { pattern: '^\\d+$', default: '0' } as const

export const event: EventLeg = {
	carries: {
		'event.kind': { values: ['message'] },
		'event.channel': {},
		'event.sender': { required: true, values: ['user'] },
		'event.bot.id': digits,
		'event.conversation': { required: true },
		'event.user.id': { required: true },
		'event.text': {},
		'event.trigger': { required: true, values: ['module'] },
		'event.trigger.id': digits,
		'event.attributes': { strings: true, reserved: names },
	},

	decode(call) {
		const { values, unread } = mergeQuery(call, readForm(call))
		const { wire } = validate(Call, values)
		const { bot_id, user_id, module_id, channel, incoming_message, session_id, ...attributes } = wire
		const bot = nonEmpty(bot_id)
		return {
			model: compact<CanonicalEvent>({
				kind: 'message',
				channel: nonEmpty(channel),
				sender: 'user',
				bot: bot === undefined ? undefined : { id: bot },
				conversation: nonEmpty(session_id) ?? conversationOf(user_id, bot),
				user: { id: user_id, attributes: {} },
				text: nonEmpty(incoming_message),
				trigger: { kind: 'module', ...compact({ id: nonEmpty(module_id) }) },
				attributes,
			}),
			unread,
		}
	},

	encode({ channel, bot, conversation, user, text, trigger, attributes }) {
		const isDefault = conversation === conversationOf(user?.id, bot?.id)
		return formRequest({
			bot_id: bot?.id,
			user_id: user?.id,
			module_id: trigger?.id,
			channel,
			incoming_message: text ?? '',
			session_id: isDefault ? undefined : conversation,
			...attributes,
		})
	},
}

/** A user has one id for all bots, and a conversation with each of them. */
function conversationOf(user: string | undefined, bot: string | undefined): string | undefined {
	return bot === undefined ? user : `${bot}/${user}`
}

/** Whether this is the builder's check of the URL, which is not documented: it has no field of a call. */
export function isSetUp({ method, query, body }: WireRequest): boolean {
	return method === 'HEAD' || (body.trim() === '' && !query.some(([name]) => names.includes(name)))
}
