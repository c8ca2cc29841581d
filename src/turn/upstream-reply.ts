/** Reads the answer of the upstream in the upstream's format, for a platform of the same format or of another. */
import type { NamedAdapter, PushLeg, ReplyLeg, WireResponse } from '../format/index.ts'
import { type CanonicalEvent, type CanonicalReply, type Change, emptyReply } from '../model/index.ts'
import { decodeReply } from './decode.ts'
import { withoutJumps } from './foreign-jumps.ts'
import { fillMergeTags } from './merge-tags.ts'

/** Between whom a reply goes, and what it answers. */
export interface Answering {
	readonly upstream: NamedAdapter
	readonly platform: NamedAdapter
	/** The platform's leg for its event, or for pushes. */
	readonly leg: Pick<ReplyLeg | PushLeg, 'mergeTags' | 'sameFormat'>
	/** The platform's event. */
	readonly received: CanonicalEvent
	/** The same event, as the upstream got it. */
	readonly sent: CanonicalEvent
}

/** A reply, and what the platform will not show of it. */
export interface UpstreamReply {
	readonly reply: CanonicalReply
	/** Paths of what the model cannot express. */
	readonly unread: readonly string[]
	readonly changes: readonly Change[]
}

/**
 * The reply in an answer. Of another format than the platform's, merge tags are filled, and jumps taken out. Throws
 * `upstream-reply-invalid`.
 */
export function readUpstreamReply(response: WireResponse, answering: Answering): UpstreamReply {
	const { upstream, leg: platformLeg, received, sent } = answering
	const leg = upstream.adapter.reply(sent)
	if (!leg) return { reply: emptyReply, unread: [], changes: [] }
	const isSame = isSameFormat(answering)
	// A push may have no way to say what the backend wrote for the platform's own reader.
	const isAsWritten = isSame && (platformLeg.sameFormat !== undefined || leg.sameFormat === undefined)
	const { model, unread, added } = decodeReply(isAsWritten ? (leg.sameFormat ?? leg) : leg, response)
	const additions = (added ?? []).map((path): Change => ({ path, feature: 'reply', did: 'added' }))
	// Our own format is written for whatever platform there is.
	if (isAsWritten || leg.carries['reply.overrides']) return { reply: model, unread, changes: additions }
	const { reply, changes: jumps } = isSame
		? { reply: model, changes: [] }
		: withoutJumps(leg.forOthers?.(model) ?? model)
	const changes = [...additions, ...jumps]
	const { mergeTags } = leg
	if (!mergeTags || mergeTags === platformLeg.mergeTags) return { reply, unread, changes }
	const filled = fillMergeTags(reply, mergeTags, received)
	return { reply: filled.reply, unread, changes: [...changes, ...filled.changes] }
}

/** The platform's leg for the reply of its upstream. */
export function legForUpstream(leg: ReplyLeg, between: Pick<Answering, 'upstream' | 'platform'>): ReplyLeg {
	return isSameFormat(between) ? (leg.sameFormat ?? leg) : leg
}

function isSameFormat({ upstream, platform }: Pick<Answering, 'upstream' | 'platform'>): boolean {
	return upstream.name === platform.name
}
