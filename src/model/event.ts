/** The canonical event: what happened on a platform, from the user to the bot. */
import * as v from 'valibot'
import {
	Count,
	hasMembers,
	LimitedAttributes,
	NonEmptyString,
	nonEmptyArray,
	SomeAttributes,
	Timestamp,
} from './constraints.ts'
import { JsonByAdapter } from './json.ts'
import { Message } from './message.ts'

const User = v.strictObject({
	id: v.optional(NonEmptyString),
	externalId: v.optional(NonEmptyString),
	name: v.optional(NonEmptyString),
	email: v.optional(NonEmptyString),
	phone: v.optional(NonEmptyString),
	attributes: LimitedAttributes,
})

/** Rejects a user of whom nothing is known. */
export const isNotBlank = v.check<v.InferOutput<typeof User>, string>(
	(user) => Object.keys(user).length > 1 || Object.keys(user.attributes).length > 0,
	'must have at least one member beside empty attributes',
)

export const CanonicalEvent = v.strictObject({
	id: v.optional(NonEmptyString),
	kind: v.picklist(['message', 'choice', 'start', 'notice']),
	occurredAt: v.optional(Timestamp),
	channel: v.optional(NonEmptyString),
	sender: v.optional(v.picklist(['user', 'bot', 'agent', 'system', 'unknown'])),
	bot: v.optional(
		v.pipe(
			v.strictObject({
				id: v.optional(NonEmptyString),
				name: v.optional(NonEmptyString),
				project: v.optional(NonEmptyString),
			}),
			hasMembers(),
		),
	),
	conversation: v.optional(NonEmptyString),
	user: v.optional(v.pipe(User, isNotBlank)),
	language: v.optional(NonEmptyString),
	text: v.optional(NonEmptyString),
	choice: v.optional(v.strictObject({ value: NonEmptyString, label: v.optional(NonEmptyString) })),
	media: v.optional(
		nonEmptyArray(
			v.strictObject({
				kind: v.picklist(['image', 'video', 'audio', 'file']),
				url: NonEmptyString,
				name: v.optional(NonEmptyString),
				mimeType: v.optional(NonEmptyString),
				width: v.optional(Count),
				height: v.optional(Count),
			}),
		),
	),
	trigger: v.optional(
		v.strictObject({
			kind: NonEmptyString,
			id: v.optional(NonEmptyString),
			name: v.optional(NonEmptyString),
			action: v.optional(NonEmptyString),
			confidence: v.optional(v.pipe(v.number(), v.finite())),
			parameters: v.optional(SomeAttributes),
		}),
	),
	attributes: LimitedAttributes,
	contexts: v.optional(
		nonEmptyArray(
			v.pipe(
				v.strictObject({
					id: v.optional(NonEmptyString),
					name: v.optional(NonEmptyString),
					action: v.optional(NonEmptyString),
					parameters: v.optional(SomeAttributes),
				}),
				hasMembers(),
			),
		),
	),
	defaultReply: v.optional(nonEmptyArray(Message)),
	extensions: v.optional(JsonByAdapter),
})

/** What happened on a platform, from the user to the bot. Every field's meaning: docs/canonical-model.md. */
export type CanonicalEvent = v.InferOutput<typeof CanonicalEvent>
