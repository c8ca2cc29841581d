/** The call of a webhook block: https://www.chatbot.com/docs/webhooks/, "How ChatBot Webhooks works?" */
import * as v from 'valibot'
import {
	type CanonicalEvent,
	compact,
	compactOrNone,
	type EventLeg,
	extractFields,
	type FieldMapping,
	insertFields,
	type Json,
	jsonRequest,
	nonEmpty,
	readJsonBody,
	validate,
	WireAttributes,
	type WireRequest,
} from '../../src/format/index.ts'
import type { Options } from './options.ts'

const name = 'chatbot-v2'

/** Where the user's fields stand among the user attributes. */
const profile = { name: 'default_name', email: 'default_email', phone: 'default_phone_number' } as const

// Ids are printed as 24 hexadecimal digits, as 25 characters and as UUIDs: only their being there is checked.
const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
const SaidId = v.pipe(Id, v.nonEmpty())

const Call = v.object({
	chatId: SaidId,
	messageId: SaidId,
	userId: v.nullish(Id),
	externalId: v.nullish(Id),
	// The help centre's sample has no node: https://www.chatbot.com/help/webhooks/what-are-webhooks/
	node: v.nullish(
		v.object({
			id: v.nullish(Id),
			name: v.nullish(v.string()),
			type: v.nullish(v.string()),
			webhookId: v.nullish(Id),
			webhookName: v.nullish(v.string()),
		}),
	),
	userAttributes: WireAttributes,
	attributes: WireAttributes,
})

const Said = v.pipe(v.string(), v.nonEmpty())

/** What only ChatBot v2 says of an event: which webhook of the story made the call. */
const Own = v.strictObject({
	node: v.pipe(
		v.strictObject({ type: v.optional(Said), webhookId: v.optional(Said), webhookName: v.optional(Said) }),
		v.check((node) => Object.keys(node).length > 0, 'must have at least one member'),
	),
})
type Own = v.InferOutput<typeof Own>

export function eventLeg({ text, action }: Options): EventLeg {
	const told: FieldMapping<'text' | 'action'> = { text, action }
	return {
		carries: {
			'event.id': { required: true },
			'event.kind': { values: ['message'] },
			'event.sender': { required: true, values: ['user'] },
			'event.conversation': { required: true },
			'event.user.id': {},
			'event.user.externalId': {},
			'event.user.name': {},
			'event.user.email': {},
			'event.user.phone': {},
			'event.user.attributes': { strings: true, reserved: Object.values(profile) },
			...(text !== undefined && { 'event.text': {} }),
			'event.trigger': { required: true, values: ['block'] },
			'event.trigger.id': {},
			'event.trigger.name': {},
			...(action !== undefined && { 'event.trigger.action': {} }),
			'event.attributes': { strings: true, reserved: [text, action].filter((each) => each !== undefined) },
		},
		native: { name, schema: Own },

		decode(call) {
			const { wire, unread } = validate(Call, trimKeys(readJsonBody(call)))
			const user = extractFields(profile, wire.userAttributes, ['userAttributes'])
			const chat = extractFields(told, wire.attributes, ['attributes'])
			const own = compactOrNone<Own['node']>({
				type: nonEmpty(wire.node?.type),
				webhookId: nonEmpty(wire.node?.webhookId),
				webhookName: nonEmpty(wire.node?.webhookName),
			})
			const known = compactOrNone({ id: nonEmpty(wire.userId), externalId: nonEmpty(wire.externalId), ...user.fields })
			const hasUser = known !== undefined || Object.keys(user.rest).length > 0
			return {
				model: compact<CanonicalEvent>({
					kind: 'message',
					sender: 'user',
					conversation: wire.chatId,
					id: wire.messageId,
					user: hasUser ? { ...known, attributes: user.rest } : undefined,
					trigger: {
						kind: 'block',
						...compact({ id: nonEmpty(wire.node?.id), name: nonEmpty(wire.node?.name), action: chat.fields.action }),
					},
					extensions: own && { [name]: { node: own } },
					text: chat.fields.text,
					attributes: chat.rest,
				}),
				unread: [...unread, ...user.unread, ...chat.unread],
			}
		},

		encode({ conversation, id, user, trigger, extensions, text, attributes }) {
			const own = v.parse(v.optional(Own), extensions?.[name])
			return jsonRequest({
				chatId: conversation,
				messageId: id,
				userId: user?.id,
				externalId: user?.externalId,
				node: compactOrNone({ id: trigger?.id, name: trigger?.name, ...own?.node }),
				userAttributes: insertFields(profile, user?.attributes ?? {}, user ?? {}),
				attributes: insertFields(told, attributes, { text, action: trigger?.action }),
			})
		},
	}
}

const Mark = v.union([v.object({ chatId: Id }), v.object({ node: v.object({ webhookId: Id }) })])

/** Whether the body has what a version 1 body has not. */
export function recognises(call: WireRequest): boolean {
	try {
		return v.is(Mark, trimKeys(readJsonBody(call)))
	} catch {
		return false
	}
}

/** The help centre's sample prints `" chatId"`, with a blank before the name. */
function trimKeys(body: Json): unknown {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
	return Object.fromEntries(Object.entries(body).map(([key, value]) => [key.trim(), value]))
}
