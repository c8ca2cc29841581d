/** The call of a webhook block: https://www.chatbot.com/docs/webhooks/, "How ChatBot Webhooks works?" */
import * as v from 'valibot'
import {
	absentFields,
	atLeastOneMember,
	bodyMatches,
	type CanonicalEvent,
	compact,
	compactOrNone,
	type EventLeg,
	extractFields,
	type FieldMapping,
	Id,
	insertFields,
	type Json,
	jsonRequest,
	matches,
	NonEmpty,
	nonEmpty,
	readJsonBody,
	validate,
	WireAttributes,
	WireOptionalText,
	type WireRequest,
	wireObject,
} from '../../src/format/index.ts'
import { profile } from '../chatbot/webhook.ts'
import type { Options } from './options.ts'

const name = 'chatbot-v2'

// The documents print ids as 24 hexadecimal digits, as 25 characters and as UUIDs, so that any id is accepted.
const NonEmptyId = v.pipe(Id, v.nonEmpty())

const Call = v.object({
	chatId: NonEmptyId,
	messageId: NonEmptyId,
	userId: v.nullish(Id),
	externalId: v.nullish(Id),
	// The help centre's sample has no node: https://www.chatbot.com/help/webhooks/what-are-webhooks/
	node: wireObject(
		v.object({
			id: v.nullish(Id),
			name: WireOptionalText,
			type: WireOptionalText,
			webhookId: v.nullish(Id),
			webhookName: WireOptionalText,
		}),
	),
	userAttributes: WireAttributes,
	attributes: WireAttributes,
})

/** What only ChatBot v2 says of an event: which webhook of the story made the call. */
const Native = v.strictObject({
	node: v.pipe(
		v.strictObject({ type: v.optional(NonEmpty), webhookId: v.optional(NonEmpty), webhookName: v.optional(NonEmpty) }),
		atLeastOneMember(),
	),
})
type Native = v.InferOutput<typeof Native>
const OptionalNative = v.optional(Native)
type Trigger = NonNullable<CanonicalEvent['trigger']>

export function eventLeg({ text, action }: Options): EventLeg {
	const names: FieldMapping<'text' | 'action'> = { text, action }
	return {
		carries: {
			'event.kind': { values: ['message'] },
			'event.sender': { required: true, values: ['user'] },
			'event.conversation': { required: true },
			'event.id': { required: true },
			'event.user.id': { required: true },
			'event.user.externalId': {},
			'event.user.name': {},
			'event.user.email': {},
			'event.user.phone': {},
			'event.user.attributes': { strings: true, reserved: Object.values(profile) },
			'event.trigger': { required: true, values: ['block'] },
			'event.trigger.id': {},
			'event.trigger.name': {},
			...(action !== undefined && { 'event.trigger.action': {} }),
			...(text !== undefined && { 'event.text': {} }),
			'event.attributes': { strings: true, reserved: [text, action].filter((each) => each !== undefined) },
		},
		native: { name, schema: Native },

		decode(call) {
			const { wire, unread } = validate(Call, trimKeys(readJsonBody(call)))
			const user = extractFields(profile, wire.userAttributes, ['userAttributes'])
			const chat = extractFields(names, wire.attributes, ['attributes'])
			const native = compactOrNone<Native['node']>({
				type: nonEmpty(wire.node?.type),
				webhookId: nonEmpty(wire.node?.webhookId),
				webhookName: nonEmpty(wire.node?.webhookName),
			})
			const fields = compactOrNone({ id: nonEmpty(wire.userId), externalId: nonEmpty(wire.externalId), ...user.fields })
			const hasUser = fields !== undefined || Object.keys(user.rest).length > 0
			return {
				model: compact<CanonicalEvent>({
					kind: 'message',
					sender: 'user',
					conversation: wire.chatId,
					id: wire.messageId,
					user: hasUser ? { ...fields, attributes: user.rest } : undefined,
					trigger: compact<Trigger>({
						kind: 'block',
						id: nonEmpty(wire.node?.id),
						name: nonEmpty(wire.node?.name),
						action: chat.fields.action,
					}),
					extensions: native && { [name]: { node: native } },
					text: chat.fields.text,
					attributes: chat.rest,
				}),
				unread: [...unread, ...user.unread, ...chat.unread],
				...absentFields(names, wire.attributes, ['text', 'action']),
			}
		},

		encode({ conversation, id, user, trigger, extensions, text, attributes }) {
			const native = v.parse(OptionalNative, extensions?.[name])
			return jsonRequest({
				chatId: conversation,
				messageId: id,
				userId: user?.id,
				externalId: user?.externalId,
				node: compactOrNone({ id: trigger?.id, name: trigger?.name, ...native?.node }),
				userAttributes: insertFields(profile, user?.attributes ?? {}, user ?? {}),
				attributes: insertFields(names, attributes, { text, action: trigger?.action }),
			})
		},
	}
}

const OnlyInV2 = v.union([v.object({ chatId: Id }), v.object({ node: v.object({ webhookId: Id }) })])

/** Whether the body has a member that version 1 does not have. */
export function recognises(call: WireRequest): boolean {
	return bodyMatches(call, (body) => matches(OnlyInV2, trimKeys(body)))
}

/** The help centre's sample prints `" chatId"`, with a blank before the name. */
function trimKeys(body: Json): unknown {
	if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
	if (Object.keys(body).every((key) => key.trim() === key)) return body
	return Object.fromEntries(Object.entries(body).map(([key, value]) => [key.trim(), value]))
}
