/** The call of an interaction's webhook: https://chatbot.com/docsv1/webhooks, "Webhook schema". */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	compact,
	compactOrNone,
	type EventLeg,
	extractFields,
	GatewayError,
	insertFields,
	Json,
	jsonRequest,
	type Message,
	nonEmpty,
	nonEmptyList,
	readJsonBody,
	validate,
	WireAttributes,
	type WireRequest,
} from '../../src/format/index.ts'

const name = 'chatbot-v1'

/** Where the user's fields stand among the session's parameters. */
const profile = {
	id: 'default_id',
	name: 'default_name',
	email: 'default_email',
	phone: 'default_phone_number',
} as const

// A session's id has more digits than a number holds; readJson keeps those as text.
const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
const Said = v.pipe(v.string(), v.nonEmpty())

const Call = v.object({
	conversationId: v.nullish(Id),
	sessionId: v.pipe(Id, v.nonEmpty()),
	timestamp: v.nullish(v.string()),
	status: v.nullish(v.object({ code: v.nullish(v.number()), type: v.nullish(v.string()) })),
	result: v.object({
		source: v.nullish(v.string()),
		resolvedQuery: v.nullish(v.string()),
		confidence: v.nullish(v.number()),
		score: v.nullish(v.number()),
		lifespan: v.nullish(v.number()),
		incomplete: v.nullish(v.boolean()),
		storyId: v.nullish(Id),
		interaction: v.nullish(v.object({ id: v.nullish(Id), name: v.nullish(v.string()), action: v.nullish(v.string()) })),
		parameters: WireAttributes,
		sessionParameters: WireAttributes,
		contexts: v.nullish(
			v.array(
				v.object({
					id: v.nullish(Id),
					name: v.nullish(v.string()),
					action: v.nullish(v.string()),
					parameters: WireAttributes,
				}),
			),
		),
		fulfillment: v.nullish(v.array(Json)),
	}),
})
type WireContext = NonNullable<v.InferOutput<typeof Call>['result']['contexts']>[number]
type Context = NonNullable<CanonicalEvent['contexts']>[number]

const Timestamp = v.pipe(v.string(), v.isoTimestamp())

/** What the model can say of what the bot is about to say; the rest of it stays as it is. */
const Fulfilled = v.strictObject({
	type: v.literal('text'),
	delay: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
	message: Said,
})

/** In every call that was seen; said only where it is otherwise. */
const usual = { source: 'app', status: { code: 200, type: 'success' } } as const

/** What only ChatBot v1 says of an event. */
const Own = v.pipe(
	v.strictObject({
		conversationId: v.optional(Said),
		source: v.optional(v.pipe(Said, v.notValue(usual.source))),
		score: v.optional(v.number()),
		lifespan: v.optional(v.number()),
		incomplete: v.optional(v.boolean()),
		fulfillment: v.optional(v.pipe(v.array(Json), v.nonEmpty())),
		status: v.optional(v.pipe(v.strictObject({ code: v.number(), type: Said }), v.check(isUnusual))),
	}),
	v.check((own) => Object.keys(own).length > 0, 'must have at least one member'),
)
type Own = v.InferOutput<typeof Own>

export const event: EventLeg = {
	carries: {
		'event.kind': { values: ['message'] },
		'event.occurredAt': { required: true },
		'event.sender': { required: true, values: ['user'] },
		'event.bot.id': {},
		'event.conversation': { required: true },
		'event.user.id': {},
		'event.user.name': {},
		'event.user.email': {},
		'event.user.phone': {},
		'event.text': {},
		'event.trigger': { required: true, values: ['interaction'] },
		'event.trigger.id': {},
		'event.trigger.name': {},
		'event.trigger.action': {},
		'event.trigger.confidence': {},
		'event.trigger.parameters': { strings: true },
		'event.attributes': { strings: true, reserved: Object.values(profile) },
		'event.contexts': {},
		'event.contexts.id': {},
		'event.contexts.name': {},
		'event.contexts.action': {},
		'event.contexts.parameters': { strings: true },
		'event.defaultReply': {},
		'reply.text': {},
		'reply.delay': {},
	},
	native: { name, schema: Own },

	decode(call) {
		const { wire, unread } = validate(Call, readJsonBody(call))
		const { result, timestamp } = wire
		const user = extractFields(profile, result.sessionParameters, ['result', 'sessionParameters'])
		const known = compactOrNone(user.fields)
		const isTime = v.is(Timestamp, timestamp)
		const own = decodeOwn(wire)
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
				user: known && { ...known, attributes: {} },
				attributes: user.rest,
				contexts: nonEmptyList((result.contexts ?? []).flatMap(decodeContext)),
				defaultReply: nonEmptyList((result.fulfillment ?? []).flatMap(decodeFulfilled)),
				conversation: wire.sessionId,
				occurredAt: isTime ? timestamp : undefined,
				extensions: own && { [name]: own },
			}),
			unread: [...unread, ...user.unread, ...(isTime || !nonEmpty(timestamp) ? [] : ['timestamp'])],
		}
	},

	encode({ text, bot, trigger, user, attributes, contexts, defaultReply, conversation, occurredAt, extensions }) {
		const own = v.parse(v.optional(Own), extensions?.[name])
		return jsonRequest({
			conversationId: own?.conversationId,
			result: {
				source: own?.source ?? usual.source,
				resolvedQuery: text ?? '',
				confidence: trigger?.confidence,
				score: own?.score,
				lifespan: own?.lifespan,
				incomplete: own?.incomplete,
				storyId: bot?.id ?? '',
				interaction: { id: trigger?.id ?? '', name: trigger?.name ?? '', action: trigger?.action ?? '' },
				parameters: trigger?.parameters ?? {},
				sessionParameters: insertFields(profile, attributes, user ?? {}),
				contexts: (contexts ?? []).map(encodeContext),
				fulfillment: [...(own?.fulfillment ?? []), ...(defaultReply ?? []).map(encodeFulfilled)],
			},
			sessionId: conversation,
			timestamp: occurredAt,
			status: own?.status ?? usual.status,
		})
	},
}

function decodeOwn({ conversationId, status, result }: v.InferOutput<typeof Call>): Own | undefined {
	const { source, score, lifespan, incomplete, fulfillment } = result
	const told = { code: status?.code ?? usual.status.code, type: nonEmpty(status?.type) ?? usual.status.type }
	return compactOrNone<Own>({
		conversationId: nonEmpty(conversationId),
		source: source === usual.source ? undefined : nonEmpty(source),
		score: score ?? undefined,
		lifespan: lifespan ?? undefined,
		incomplete: incomplete ?? undefined,
		fulfillment: nonEmptyList((fulfillment ?? []).filter((each) => !v.is(Fulfilled, each))),
		status: isUnusual(told) ? told : undefined,
	})
}

function isUnusual({ code, type }: { code: number; type: string }): boolean {
	return code !== usual.status.code || type !== usual.status.type
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

function decodeFulfilled(each: Json): Message[] {
	if (!v.is(Fulfilled, each)) return []
	return [compact<Message>({ type: 'text', text: each.message, delay: each.delay })]
}

function encodeFulfilled(message: Message): object {
	if (message.type !== 'text') throw new GatewayError('internal', { field: message.type })
	return { type: 'text', delay: message.delay, message: message.text }
}

const Mark = v.union([
	v.object({ result: v.object({ interaction: v.object({}) }) }),
	v.object({ result: v.object({}), sessionId: Id }),
])

/** Whether the body has what a version 2 body has not. */
export function recognises(call: WireRequest): boolean {
	try {
		return v.is(Mark, readJsonBody(call))
	} catch {
		return false
	}
}
