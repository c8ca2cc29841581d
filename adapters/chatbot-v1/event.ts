/** The call of an interaction's webhook: https://chatbot.com/docsv1/webhooks, "Webhook schema". */
import * as v from 'valibot'
import {
	atLeastOneMember,
	bodyMatches,
	type CanonicalEvent,
	compact,
	compactOrNone,
	type EventLeg,
	extractFields,
	Id,
	insertFields,
	Json,
	jsonRequest,
	type Message,
	matches,
	NonEmpty,
	nonEmpty,
	nonEmptyList,
	readJsonBody,
	Timestamp,
	unreachable,
	validate,
	WireAttributes,
	WireCount,
	WireFlag,
	WireJson,
	WireNonEmpty,
	WireNumber,
	WireOptionalText,
	type WireRequest,
	wireList,
	wireObject,
} from '../../src/format/index.ts'
import { profile } from '../chatbot/webhook.ts'

const name = 'chatbot-v1'

/** The session parameters that hold the user's fields. */
const profileNames = { id: 'default_id', ...profile } as const

const text = WireOptionalText
const number = v.nullish(WireNumber)

const Call = v.object({
	conversationId: v.nullish(Id),
	// It has more digits than a number holds; parsing keeps those as text.
	sessionId: v.pipe(Id, v.nonEmpty()),
	timestamp: text,
	status: wireObject(v.object({ code: number, type: text })),
	result: v.object({
		source: text,
		resolvedQuery: text,
		confidence: number,
		score: number,
		lifespan: number,
		incomplete: v.nullish(WireFlag),
		storyId: v.nullish(Id),
		interaction: wireObject(v.object({ id: v.nullish(Id), name: text, action: text })),
		parameters: WireAttributes,
		sessionParameters: WireAttributes,
		contexts: v.nullish(
			wireList(v.object({ id: v.nullish(Id), name: text, action: text, parameters: WireAttributes })),
		),
		fulfillment: v.nullish(wireList(WireJson)),
	}),
})
type WireContext = NonNullable<v.InferOutput<typeof Call>['result']['contexts']>[number]
type Context = NonNullable<CanonicalEvent['contexts']>[number]

/** A default reply that the model can express. Other ones are native parts. */
const WireDefaultReply = v.strictObject({
	type: v.literal('text'),
	delay: v.optional(WireCount),
	message: WireNonEmpty,
})

/** Values of every known call. Other ones are native parts. */
const defaults = { source: 'app', status: { code: 200, type: 'success' } } as const

/** What only ChatBot v1 says of an event. */
const Native = v.pipe(
	v.strictObject({
		conversationId: v.optional(NonEmpty),
		source: v.optional(v.pipe(NonEmpty, v.notValue(defaults.source))),
		score: v.optional(v.number()),
		lifespan: v.optional(v.number()),
		incomplete: v.optional(v.boolean()),
		fulfillment: v.optional(v.pipe(v.array(Json), v.nonEmpty())),
		status: v.optional(v.pipe(v.strictObject({ code: v.number(), type: NonEmpty }), v.check(isOtherStatus))),
	}),
	atLeastOneMember(),
)
type Native = v.InferOutput<typeof Native>
const OptionalNative = v.optional(Native)

export const event: EventLeg = {
	carries: {
		'event.kind': { values: ['message'] },
		'event.sender': { required: true, values: ['user'] },
		'event.text': {},
		'event.bot.id': {},
		'event.trigger': { required: true, values: ['interaction'] },
		'event.trigger.id': {},
		'event.trigger.name': {},
		// The vendor's own templates choose what to do by it.
		'event.trigger.action': { fromName: true },
		'event.trigger.confidence': {},
		'event.trigger.parameters': { strings: true },
		'event.user.id': {},
		'event.user.name': {},
		'event.user.email': {},
		'event.user.phone': {},
		'event.attributes': { strings: true, reserved: Object.values(profileNames) },
		'event.contexts': {},
		'event.contexts.id': {},
		'event.contexts.name': {},
		'event.contexts.action': {},
		'event.contexts.parameters': { strings: true },
		'event.defaultReply': {},
		'reply.text': {},
		'reply.delay': {},
		'event.conversation': { required: true },
		'event.occurredAt': { required: true },
	},
	native: { name, schema: Native },

	decode(call) {
		const { wire, unread } = validate(Call, readJsonBody(call))
		const { result, timestamp } = wire
		const user = extractFields(profileNames, result.sessionParameters, ['result', 'sessionParameters'])
		const fields = compactOrNone(user.fields)
		const isTime = matches(Timestamp, timestamp)
		const native = decodeNative(wire)
		return {
			model: compact<CanonicalEvent>({
				kind: 'message',
				sender: 'user',
				text: nonEmpty(result.resolvedQuery),
				bot: compactOrNone({ id: nonEmpty(result.storyId) }),
				trigger: {
					kind: 'interaction',
					...compact({
						confidence: result.confidence ?? undefined,
						id: nonEmpty(result.interaction?.id),
						name: nonEmpty(result.interaction?.name),
						action: nonEmpty(result.interaction?.action),
						parameters: compactOrNone(result.parameters),
					}),
				},
				user: fields && { ...fields, attributes: {} },
				attributes: user.rest,
				contexts: nonEmptyList((result.contexts ?? []).flatMap(decodeContext)),
				defaultReply: nonEmptyList((result.fulfillment ?? []).flatMap(decodeDefaultReply)),
				conversation: wire.sessionId,
				occurredAt: isTime ? timestamp : undefined,
				extensions: native && { [name]: native },
			}),
			unread: [...unread, ...user.unread, ...(isTime || !nonEmpty(timestamp) ? [] : ['timestamp'])],
		}
	},

	encode({ text, bot, trigger, user, attributes, contexts, defaultReply, conversation, occurredAt, extensions }) {
		const native = v.parse(OptionalNative, extensions?.[name])
		return jsonRequest({
			conversationId: native?.conversationId,
			result: {
				source: native?.source ?? defaults.source,
				resolvedQuery: text ?? '',
				confidence: trigger?.confidence,
				score: native?.score,
				lifespan: native?.lifespan,
				incomplete: native?.incomplete,
				storyId: bot?.id ?? '',
				interaction: { id: trigger?.id ?? '', name: trigger?.name ?? '', action: trigger?.action ?? '' },
				parameters: trigger?.parameters ?? {},
				sessionParameters: insertFields(profileNames, attributes, user ?? {}),
				contexts: (contexts ?? []).map(encodeContext),
				fulfillment: [...(native?.fulfillment ?? []), ...(defaultReply ?? []).map(encodeDefaultReply)],
			},
			sessionId: conversation,
			timestamp: occurredAt,
			status: native?.status ?? defaults.status,
		})
	},
}

function decodeNative({ conversationId, status, result }: v.InferOutput<typeof Call>): Native | undefined {
	const { source, score, lifespan, incomplete, fulfillment } = result
	const sent = { code: status?.code ?? defaults.status.code, type: nonEmpty(status?.type) ?? defaults.status.type }
	return compactOrNone<Native>({
		conversationId: nonEmpty(conversationId),
		source: source === defaults.source ? undefined : nonEmpty(source),
		score: score ?? undefined,
		lifespan: lifespan ?? undefined,
		incomplete: incomplete ?? undefined,
		fulfillment: nonEmptyList((fulfillment ?? []).filter((each) => !matches(WireDefaultReply, each))),
		status: isOtherStatus(sent) ? sent : undefined,
	})
}

function isOtherStatus({ code, type }: { code: number; type: string }): boolean {
	return code !== defaults.status.code || type !== defaults.status.type
}

function decodeContext({ id, name, action, parameters }: WireContext): Context[] {
	const context = compactOrNone({
		id: nonEmpty(id),
		name: nonEmpty(name),
		action: nonEmpty(action),
		parameters: compactOrNone(parameters),
	})
	return context ? [context] : []
}

function encodeContext({ id, name, action, parameters }: Context): object {
	return { id, name: name ?? '', action: action ?? '', parameters: parameters ?? {} }
}

function decodeDefaultReply(each: Json): Message[] {
	const reply = v.safeParse(WireDefaultReply, each)
	if (!reply.success) return []
	const { message, delay } = reply.output
	return [compact<Message>({ type: 'text', text: message, delay })]
}

function encodeDefaultReply(message: Message): object {
	if (message.type !== 'text') return unreachable(message)
	return { type: 'text', delay: message.delay, message: message.text }
}

const OnlyInV1 = v.union([
	v.object({ result: v.object({ interaction: v.object({}) }) }),
	v.object({ result: v.object({}), sessionId: Id }),
])

/** Whether the body has a member that version 2 does not have. */
export function recognises(call: WireRequest): boolean {
	return bodyMatches(call, (body) => matches(OnlyInV1, body))
}
