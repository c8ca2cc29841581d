/** What a backend of the canonical format receives, and what it may answer. */
import * as v from 'valibot'
import { CanonicalEvent } from './event.ts'
import { CanonicalReply } from './reply.ts'
import { Turn } from './turn.ts'

/** The body of a call to a backend. */
export const BackendRequest = v.strictObject({ version: v.literal(1), event: CanonicalEvent, turn: Turn })

/** The body of a call to a backend. */
export interface BackendRequest {
	readonly version: 1
	readonly event: CanonicalEvent
	readonly turn: Turn
}

const { messages, attributes } = CanonicalReply.entries

/** The body of a backend's answer, or of a reply that it sends by itself: a reply that may leave out what is empty. */
export const BackendReply = v.strictObject({
	...CanonicalReply.entries,
	messages: v.optional(messages, []),
	attributes: v.optional(
		v.strictObject({
			session: v.optional(attributes.entries.session, {}),
			user: v.optional(attributes.entries.user, {}),
		}),
		{},
	),
})

/** The body of a backend's answer, or of a reply that it sends by itself: a reply that may leave out what is empty. */
export type BackendReply = v.InferInput<typeof BackendReply>
