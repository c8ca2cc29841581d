/**
 * The call of a webhook, as it is really sent and, for the sample of the documentation, as documented:
 * https://pingstreams-website.pages.dev/docs/developer/resolution-bot/webhook_data_model
 */
import * as v from 'valibot'
import {
	type Attributes,
	type CanonicalEvent,
	type Carries,
	compact,
	compactOrNone,
	type EventLeg,
	type Json,
	jsonRequest,
	limits,
	type Message,
	matches,
	nonEmpty,
	nonEmptyList,
	outputOf,
	readJsonBody,
	Timestamp,
	unreachable,
	WireNonEmpty,
} from '../../../src/format/index.ts'
import { type Dialect, name, readsAnswers } from '../dialect.ts'
import { staticMarkup } from '../markup.ts'
import { placeholderTypes } from '../media.ts'
import type { Options } from '../options.ts'
import { decodeAttributes, reservedVariables } from './attributes.ts'
import { type Call, decodeCall } from './call.ts'
import { decodeContent, encodeContent, startTexts, unreadAttachment, unreadFlowCall } from './content.ts'
import { decodeNative, encodeNative, Native, NativeWithoutIntent } from './native.ts'
import { refineEvent } from './refine.ts'
import {
	anyAgent,
	decodeSender,
	decodeUser,
	encodeSender,
	encodeUser,
	otherSenders,
	textVariable,
	userIdPattern,
} from './sender.ts'

/** The web channel: the platform's own name for it, and the model's, which its bots use too. */
const webChannel = { wire: 'chat21', model: 'web' } as const

const carries: Carries<CanonicalEvent> = {
	'event.id': { required: true },
	'event.kind': {},
	'event.text': { reserved: startTexts },
	'event.choice': {},
	'event.choice.label': {},
	'event.media': { items: 1 },
	'event.media.name': {},
	'event.media.mimeType': { reserved: placeholderTypes },
	'event.media.width': {},
	'event.media.height': {},
	'event.occurredAt': {},
	'event.channel': { reserved: [webChannel.wire] },
	'event.sender': { required: true, values: ['user', 'bot', 'agent', 'system'] },
	'event.bot.project': {},
	'event.conversation': { required: true },
	'event.user.id': { required: true, reserved: otherSenders, pattern: userIdPattern },
	'event.user.name': {},
	'event.user.email': {},
	'event.user.phone': {},
	'event.user.attributes': {},
	'event.language': { pattern: '^[^_]+$' },
	'event.attributes': {},
}
const carriesOfIntent: Carries<CanonicalEvent> = {
	...carries,
	'event.bot.id': {},
	'event.bot.name': {},
	'event.trigger': { required: true, values: ['intent'] },
	'event.trigger.id': {},
	'event.trigger.name': {},
	'event.defaultReply': {},
	'reply.text': { notBlank: true, escape: staticMarkup },
}
const carriesOf: { readonly [D in Dialect]: Carries<CanonicalEvent> } = {
	runtime: { ...carriesOfIntent, 'event.attributes': { reserved: reservedVariables } },
	server: carriesOfIntent,
	external: { ...carries, 'event.bot.id': {}, 'event.bot.name': {} },
	subscription: {
		...carries,
		'event.trigger': { required: true, values: ['webhook'] },
		// We decode events of conversations too, but encode events of messages only.
		'event.trigger.name': { pattern: '^message\\.', default: 'message.create' },
	},
}

/** Decodes calls of every dialect, and encodes those of the dialect in the options. */
export function eventLeg({ dialect }: Options): EventLeg {
	return {
		carries: carriesOf[dialect],
		native: { name, schema: readsAnswers(dialect) ? Native : NativeWithoutIntent },

		decode(wire) {
			const call = decodeCall(readJsonBody(wire))
			const { message, at } = call
			const { request } = message
			const sender = decodeSender(call)
			const { kind, text, choice, media } = decodeContent(call, sender)
			const { attributes, unread } = decodeAttributes(call)
			const native = decodeNative(call, dialect)
			return {
				model: compact<CanonicalEvent>({
					id: nonEmpty(message._id),
					kind,
					text,
					choice,
					media,
					occurredAt: decodeTime(call),
					channel: decodeChannel(nonEmpty(message.channel?.name) ?? nonEmpty(request?.channel?.name)),
					sender,
					bot: decodeBot(call),
					conversation: nonEmpty(request?.request_id) ?? nonEmpty(message.recipient),
					user: decodeUser(call, sender),
					language: (nonEmpty(request?.language) ?? nonEmpty(message.language))?.replaceAll('_', '-'),
					trigger: decodeTrigger(call),
					attributes,
					defaultReply: nonEmptyList(decodeStaticReply(call.staticReply ?? '')),
					extensions: native && { [name]: native },
				}),
				unread: [
					...call.unread,
					...unread,
					...unreadAttachment(call),
					...unreadFlowCall(call),
					...unreadTime(call),
					// Which member of the project it was.
					...(sender === 'agent' && message.sender !== anyAgent ? [`${at}.sender`] : []),
				],
			}
		},

		encode(event) {
			const { bot, attributes } = event
			const native = outputOf(Native, event.extensions?.[name])
			const { type, text, metadata, attributes: own } = encodeContent(event, dialect)
			const message = {
				_id: event.id,
				type,
				text,
				metadata,
				attributes: compactOrNone({
					...own,
					payload: dialect === 'runtime' ? undefined : compactOrNone(attributes),
				}),
				createdAt: event.occurredAt,
				channel: encodeChannel(event.channel),
				sender: encodeSender(event),
				senderFullname: event.sender === 'user' ? event.user?.name : undefined,
				recipient: event.conversation,
				id_project: bot?.project,
				request: {
					request_id: event.conversation,
					id_project: bot?.project,
					language: event.language,
					lead: encodeUser(event.user),
					...encodeNative(native),
				},
			}
			const answer = encodeStaticReply(event.defaultReply ?? [])
			const intent = { ...encodeIntent(event.trigger), question: native?.question, answer }
			const owner = encodeBot(bot)
			switch (dialect) {
				case 'runtime':
					return jsonRequest({ payload: { botId: bot?.id, bot: owner, message, intent }, variables: attributes })
				case 'server':
					return jsonRequest({ payload: { text: answer ?? '', bot: owner, message, intent } })
				case 'external':
					return jsonRequest({ payload: message, hook: owner })
				case 'subscription':
					return jsonRequest({ payload: message, hook: { event: event.trigger?.name, id_project: bot?.project } })
			}
		},

		refine: refineEvent,
	}
}

/** The last millisecond of the year 9999. */
const maxTime = 253_402_300_799_999

/** When the message was created, else when the call was made. */
function decodeTime({ message: { createdAt }, timestamp }: Call): string | undefined {
	if (matches(Timestamp, createdAt)) return createdAt
	if (timestamp === undefined || timestamp < 0 || timestamp > maxTime) return undefined
	return new Date(timestamp).toISOString()
}

function unreadTime({ message, at }: Call): string[] {
	const createdAt = nonEmpty(message.createdAt)
	return createdAt === undefined || matches(Timestamp, createdAt) ? [] : [`${at}.createdAt`]
}

function decodeChannel(channel: string | undefined): string | undefined {
	return channel === webChannel.wire ? webChannel.model : channel
}

function encodeChannel(channel: string | undefined): object | undefined {
	return channel === undefined ? undefined : { name: channel === webChannel.model ? webChannel.wire : channel }
}

function decodeBot({ bot, botId, message, variables }: Call): CanonicalEvent['bot'] {
	return compactOrNone({
		id: nonEmpty(bot?._id) ?? nonEmpty(botId),
		name: nonEmpty(bot?.name),
		// Documented as `project_id` in one place and as `id_project` in another; the latter is what is sent.
		project:
			nonEmpty(bot?.id_project) ??
			nonEmpty(bot?.project_id) ??
			nonEmpty(message.id_project) ??
			nonEmpty(message.request?.id_project) ??
			textVariable(variables, 'project_id'),
	})
}

function encodeBot(bot: CanonicalEvent['bot']): object {
	return { _id: bot?.id, name: bot?.name, id_project: bot?.project }
}

function decodeTrigger(call: Call): CanonicalEvent['trigger'] {
	const { event, intent, isMessage, message } = call
	if (event !== undefined) {
		const parameters = isMessage ? undefined : decodeConversation(message.request)
		return { kind: 'webhook', ...compact({ name: nonEmpty(event), parameters }) }
	}
	if (!intent) return undefined
	return { kind: 'intent', ...compact({ id: nonEmpty(intent.intent_id), name: nonEmpty(intent.intent_display_name) }) }
}

const Tag = v.union([
	WireNonEmpty,
	v.pipe(
		v.object({ tag: WireNonEmpty }),
		v.transform(({ tag }) => tag),
	),
])

/** What an event of a conversation is about, under the platform's own names. */
function decodeConversation(request: Call['message']['request']): Attributes | undefined {
	const { status, rating, rating_message, tags } = request ?? {}
	const names = (tags ?? []).flatMap((each) => {
		const tag = v.safeParse(Tag, each)
		return tag.success ? [tag.output] : []
	})
	return compactOrNone<{ [name: string]: Json }>({
		...(typeof status === 'number' && { status }),
		...(typeof rating === 'number' && { rating }),
		...(rating_message && { rating_message }),
		...(names.length > 0 && { tags: names }),
	})
}

function encodeIntent(trigger: CanonicalEvent['trigger']): object {
	return { intent_id: trigger?.id, intent_display_name: trigger?.name }
}

const mostMessages = limits.listItems.value

/** Paragraphs, as the runtime splits them. Without the line that calls us, which may hold our secret. */
function decodeStaticReply(text: string): Message[] {
	if (text === '') return []
	const bare = text.replace(/(?:^|\n)\\webhook[^\n]*/g, '')
	const parts = (bare === text ? text : bare.trim()).split(/\n{2,}/).filter((part) => part.trim() !== '')
	// A text of more paragraphs than an event may have messages is accepted: the last message has the rest.
	const rest = parts.splice(mostMessages - 1)
	return [...parts, ...(rest.length > 0 ? [rest.join('\n\n')] : [])].map((part) => ({ type: 'text', text: part }))
}

function encodeStaticReply(messages: readonly Message[]): string | undefined {
	const texts = messages.map((message) => (message.type === 'text' ? message.text : unreachable(message)))
	return texts.length > 0 ? texts.join('\n\n') : undefined
}
