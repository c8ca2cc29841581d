/** What the upstream receives about a turn, in addition to the event. */
import * as v from 'valibot'
import type { Change } from './change.ts'
import { Count, NonEmptyString, Timestamp } from './constraints.ts'
import { eventFeatures, type Feature, type ReplyFeature, replyFeatures } from './features.ts'
import { Json } from './json.ts'

/** What the upstream receives about a turn, in addition to the event. */
export interface Turn {
	/** Created by the gateway; the same for all retries. */
	readonly id: string
	/** The route's name, because its path may contain a secret. */
	readonly route: string
	/** The name of the adapter that decoded the call. */
	readonly platform: string
	/** When the call arrived (RFC 3339). */
	readonly receivedAt: string
	/** Whether an answer can reach the user, and how. */
	readonly answer: 'now' | 'push' | 'never'
	/** When the answer must have left the gateway (RFC 3339). Absent: the platform does not wait for it. */
	readonly answerBy?: string
	/** The reply features that the platform carries; their limits are at `/-/carries/<route>/<secret>`. */
	readonly carries: readonly ReplyFeature[]
	/** What was changed in the event on its way to the upstream: what was dropped or shortened first, what was added last. */
	readonly changes: readonly Change[]
	/** How many more changes there were. Absent: none. */
	readonly moreChanges?: number
	/**
	 * Takes replies of this conversation, by POST, for as long as the gateway is configured to accept them. Whoever has it can
	 * send them: it is a secret. Absent: the gateway has no public URL or no keys, or the event has no conversation.
	 */
	readonly replyUrl?: string
	/** The platform's call with secrets redacted, if the route has `raw`. */
	readonly raw?: Json
}

/** The name of a reply feature. */
export const ReplyFeatureName: v.GenericSchema<ReplyFeature> = v.picklist(replyFeatures)

/** The name of any feature. */
export const FeatureName: v.GenericSchema<Feature> = v.picklist([...eventFeatures, ...replyFeatures])

const ChangeOfEvent = v.strictObject({
	path: v.string(),
	feature: FeatureName,
	did: v.picklist(['dropped', 'shortened', 'split', 'merged', 'converted', 'added', 'escaped']),
	detail: v.optional(v.string()),
})

// As the type of its values: in a declaration, that of an optional Json has no end.
export const Turn: v.GenericSchema<Turn> = v.strictObject({
	id: NonEmptyString,
	route: NonEmptyString,
	platform: NonEmptyString,
	receivedAt: Timestamp,
	answer: v.picklist(['now', 'push', 'never']),
	answerBy: v.optional(Timestamp),
	carries: v.array(ReplyFeatureName),
	changes: v.array(ChangeOfEvent),
	moreChanges: v.optional(Count),
	replyUrl: v.optional(NonEmptyString),
	raw: v.optional(Json),
})
