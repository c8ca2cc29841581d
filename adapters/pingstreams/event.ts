/** The call of a webhook: https://pingstreams-website.pages.dev/docs/developer/resolution-bot/webhook_data_model, and what is really sent. */
import * as v from 'valibot'
import {
	Attributes,
	type CanonicalEvent,
	type Carries,
	compact,
	compactOrNone,
	type EventLeg,
	fieldPath,
	GatewayError,
	type Json,
	jsonRequest,
	type Message,
	nonEmpty,
	nonEmptyList,
	readJsonBody,
} from '../../src/format/index.ts'
import { reservedVariables, secrets, takeVariables, withoutSecrets } from './attributes.ts'
import { type Call, readCall } from './call.ts'
import { type Dialect, name, readsAnswers } from './dialect.ts'
import { emptyTypes } from './file.ts'
import { staticMarkup, visible } from './markup.ts'
import type { Options } from './options.ts'
import { idsOfOthers, readSender, readUser, somebody, userId, writeLead, writeSender } from './person.ts'
import { readWords, starts, unreadMetadata, writeWords } from './words.ts'

const Said = v.pipe(v.string(), v.nonEmpty())
const something = <T extends object>() =>
	v.check<T, string>((value) => Object.keys(value).length > 0, 'must have at least one member')
const own = {
	/** A test page's. */
	draft: v.optional(v.literal(true)),
	/** To which the conversation belongs. */
	department: v.optional(v.pipe(v.strictObject({ id: v.optional(Said), name: v.optional(Said) }), something())),
	/** The intent's example sentences. */
	question: v.optional(Said),
}
/** What only this platform says of an event, and what of it where there is no intent. */
const Own = v.pipe(v.strictObject(own), something())
const OwnWithoutIntent = v.pipe(v.strictObject({ draft: own.draft, department: own.department }), something())

/** A dialect that is not the usual one is said, too. */
type Told = v.InferOutput<typeof Own> & { dialect?: Dialect | undefined }

/** What the platform calls its own channel, and what its bots and we call it. */
const web = { wire: 'chat21', model: 'web' } as const

const carries: Carries<CanonicalEvent> = {
	'event.id': { required: true },
	'event.kind': { required: true, values: ['message', 'choice', 'start', 'notice'], derived: true },
	'event.occurredAt': {},
	'event.channel': { reserved: [web.wire] },
	'event.sender': { required: true, values: ['user', 'bot', 'agent', 'system'] },
	'event.bot.project': {},
	'event.conversation': { required: true },
	'event.user.id': { required: true, reserved: idsOfOthers, pattern: userId },
	'event.user.name': {},
	'event.user.email': {},
	'event.user.phone': {},
	'event.user.attributes': { withheld: secrets },
	'event.language': { pattern: '^[^_]+$' },
	'event.text': { reserved: starts },
	'event.choice': {},
	'event.choice.label': { into: 'text' },
	'event.media': { items: 1 },
	'event.media.name': { into: 'text' },
	'event.media.mimeType': { derived: true, reserved: emptyTypes },
	'event.media.width': {},
	'event.media.height': {},
	'event.attributes': { withheld: secrets },
}
const carriesOfIntent: Carries<CanonicalEvent> = {
	...carries,
	'event.bot.id': {},
	'event.bot.name': {},
	'event.trigger': { required: true, values: ['intent'] },
	'event.trigger.id': {},
	'event.trigger.name': {},
	'event.defaultReply': {},
	'reply.text': { pattern: visible, escape: staticMarkup },
}
const carriesOf: { readonly [D in Dialect]: Carries<CanonicalEvent> } = {
	runtime: { ...carriesOfIntent, 'event.attributes': { withheld: secrets, reserved: reservedVariables } },
	server: carriesOfIntent,
	external: { ...carries, 'event.bot.id': {}, 'event.bot.name': {} },
	subscription: {
		...carries,
		'event.trigger': { required: true, values: ['webhook'] },
		// What happens to other things than messages is read, and never written.
		'event.trigger.name': { required: true, pattern: '^message\\.', default: 'message.create' },
	},
}

export function eventLeg({ dialect: usual }: Options): EventLeg {
	return {
		carries: carriesOf[usual],
		native: { name, schema: readsAnswers(usual) ? Own : OwnWithoutIntent },

		decode(wire) {
			const call = readCall(readJsonBody(wire))
			const { message, at, timestamp } = call
			const { request } = message
			const sender = readSender(call)
			const createdAt = nonEmpty(message.createdAt)
			const isTime = v.is(Timestamp, createdAt)
			const session = readAttributes(call)
			const own = readOwn(call, usual)
			return {
				model: compact<CanonicalEvent>({
					id: nonEmpty(message._id),
					...readWords(call, sender),
					occurredAt: isTime ? createdAt : timeOf(timestamp),
					channel: channelOf(nonEmpty(message.channel?.name) ?? nonEmpty(request?.channel?.name)),
					sender,
					bot: compactOrNone({
						id: nonEmpty(call.bot?._id) ?? nonEmpty(call.botId),
						name: nonEmpty(call.bot?.name),
						project: projectOf(call),
					}),
					conversation: nonEmpty(request?.request_id) ?? nonEmpty(message.recipient),
					user: readUser(call, sender),
					language: (nonEmpty(request?.language) ?? nonEmpty(message.language))?.replaceAll('_', '-'),
					trigger: readTrigger(call),
					attributes: session.attributes,
					defaultReply: nonEmptyList(readStatic(call.staticReply ?? '')),
					extensions: own && { [name]: own },
				}),
				unread: [
					...call.unread,
					...session.unread,
					...unreadMetadata(call),
					...(createdAt !== undefined && !isTime ? [`${at}.createdAt`] : []),
					// Which of the project's people it was.
					...(sender === 'agent' && message.sender !== somebody ? [`${at}.sender`] : []),
				],
			}
		},

		encode(event) {
			const { id, occurredAt, channel, bot, conversation, user, language, trigger, attributes } = event
			const own = v.parse(v.optional(Own), event.extensions?.[name])
			const words = writeWords(event, usual)
			const message = {
				_id: id,
				...words,
				attributes: compactOrNone({
					...words.attributes,
					payload: usual === 'runtime' ? undefined : compactOrNone(attributes),
				}),
				createdAt: occurredAt,
				channel: channel === undefined ? undefined : { name: channel === web.model ? web.wire : channel },
				sender: writeSender(event),
				senderFullname: event.sender === 'user' ? user?.name : undefined,
				recipient: conversation,
				id_project: bot?.project,
				request: {
					request_id: conversation,
					id_project: bot?.project,
					language,
					lead: writeLead(user),
					draft: own?.draft,
					department: own?.department && { _id: own.department.id, name: own.department.name },
				},
			}
			const owner = { _id: bot?.id, name: bot?.name, id_project: bot?.project }
			const answer = writeStatic(event.defaultReply ?? [])
			const intent = { intent_id: trigger?.id, intent_display_name: trigger?.name, question: own?.question, answer }
			switch (usual) {
				case 'runtime':
					return jsonRequest({ payload: { botId: bot?.id, bot: owner, message, intent }, variables: attributes })
				case 'server':
					return jsonRequest({ payload: { text: answer ?? '', bot: owner, message, intent } })
				case 'external':
					return jsonRequest({ payload: message, hook: owner })
				case 'subscription':
					return jsonRequest({ payload: message, hook: { event: trigger?.name, id_project: bot?.project } })
			}
		},
	}
}

const Timestamp = v.pipe(v.string(), v.isoTimestamp())
/** The last millisecond of the year 9999. */
const maxTime = 253_402_300_799_999

function timeOf(milliseconds: number | undefined): string | undefined {
	if (milliseconds === undefined || milliseconds < 0 || milliseconds > maxTime) return undefined
	return new Date(milliseconds).toISOString()
}

function channelOf(wire: string | undefined): string | undefined {
	return wire === web.wire ? web.model : wire
}

/** Documented as `project_id` in one place and as `id_project` in another; the latter is what is sent. */
function projectOf({ bot, message, variables }: Call): string | undefined {
	return (
		nonEmpty(bot?.id_project) ??
		nonEmpty(bot?.project_id) ??
		nonEmpty(message.id_project) ??
		nonEmpty(message.request?.id_project) ??
		(typeof variables.project_id === 'string' ? nonEmpty(variables.project_id) : undefined)
	)
}

function readTrigger({ event, intent }: Call): CanonicalEvent['trigger'] {
	if (event !== undefined) return { kind: 'webhook', ...compact({ name: nonEmpty(event) }) }
	if (!intent) return undefined
	return { kind: 'intent', ...compact({ id: nonEmpty(intent.intent_id), name: nonEmpty(intent.intent_display_name) }) }
}

/** The request's own attributes, then the page's, then the flow's: the later ones win, and what they hide is unread. */
function readAttributes({ isMessage, message, variables, at }: Call): { attributes: Attributes; unread: string[] } {
	const here = at.split('.')
	const ofRequest = [...here, ...(isMessage ? ['request'] : []), 'attributes']
	const { payload, ...request } = message.request?.attributes ?? {}
	const flow = takeVariables(variables)
	const layers = [
		{ values: request, path: ofRequest },
		{ values: message.attributes?.payload ?? {}, path: [...here, 'attributes', 'payload'] },
		{ values: payload ?? {}, path: [...ofRequest, 'payload'] },
		{ values: flow.attributes, path: ['variables'] },
	]
	const unread = [...flow.unread]
	const told = new Map<string, { value: Json; path: readonly string[] }>()
	for (const { values, path } of layers) {
		if (!v.is(Attributes, values)) {
			unread.push(fieldPath(path))
			continue
		}
		for (const [key, value] of Object.entries(withoutSecrets(values))) {
			const hidden = told.get(key)
			if (hidden && JSON.stringify(hidden.value) !== JSON.stringify(value))
				unread.push(fieldPath([...hidden.path, key]))
			told.set(key, { value, path })
		}
	}
	const attributes = [...told].map(([key, { value }]) => [key, value] as const)
	return { attributes: Object.fromEntries(attributes), unread }
}

function readOwn({ dialect, message, intent }: Call, usual: Dialect): Told | undefined {
	const { draft, sourcePage, department } = message.request ?? {}
	const isDraft = draft === true || sourcePage?.includes('&td_draft=true') === true
	return compactOrNone<Told>({
		dialect: dialect === usual ? undefined : dialect,
		draft: isDraft ? true : undefined,
		department: compactOrNone<NonNullable<Told['department']>>({
			id: nonEmpty(department?._id),
			name: nonEmpty(department?.name),
		}),
		question: nonEmpty(intent?.question),
	})
}

/** The static reply in its messages, as the runtime parts it; without the line that calls us, which may hold our secret. */
function readStatic(text: string): Message[] {
	const bare = text.replace(/(?:^|\n)\\webhook[^\n]*/g, '')
	const parts = (bare === text ? text : bare.trim()).split(/\n{2,}/)
	return parts.filter((part) => part.trim() !== '').map((part) => ({ type: 'text', text: part }))
}

function writeStatic(messages: readonly Message[]): string | undefined {
	const texts = messages.map((message) => {
		if (message.type !== 'text') throw new GatewayError('internal', { field: message.type })
		return message.text
	})
	return texts.length > 0 ? texts.join('\n\n') : undefined
}
