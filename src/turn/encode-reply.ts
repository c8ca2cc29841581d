/** Writes the reply to a turn in the format of the platform. */
import { fitReply } from '../fit/index.ts'
import type { ReplyLeg, WireResponse } from '../format/index.ts'
import type { CanonicalReply, Change } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Received, TurnContext } from './context.ts'
import type { Offered } from './idempotency.ts'
import { destinationOf, prependLateReplies } from './late-replies.ts'
import { recordChanges, type TurnRecord } from './log.ts'
import { refuseLosses } from './strict.ts'

/** A reply as it was decoded. */
interface DecodedReply {
	readonly reply: CanonicalReply
	/** What it has lost already. */
	readonly lost: readonly Change[]
	/** Whether it is large: other calls are to run before it is encoded. */
	readonly isLarge: boolean
}

/** A reply as the platform gets it, and what to remember of it. */
export interface EncodedReply {
	readonly answer: WireResponse
	readonly offered?: Offered
}

/** The reply as an answer, behind the late ones of its conversation. Throws `reply-does-not-fit`. */
export async function encodeReply(
	turn: TurnContext,
	received: Received,
	leg: ReplyLeg,
	{ reply, lost, isLarge }: DecodedReply,
	record: TurnRecord,
	runtime: Runtime,
): Promise<EncodedReply> {
	const { route, turnId, observed } = turn
	const { conversation, picked } = received
	const to = destinationOf(turn, received, leg)
	const joined = await prependLateReplies(reply, lost, to, runtime)
	record.recalled = joined.recalled
	observed?.model('reply', joined.reply)
	recordChanges(record, joined.lost)
	const fitted = fitReply(joined.reply, leg, to.context)
	observed?.model('fitted-reply', fitted.value)
	recordChanges(record, fitted.changes)
	refuseLosses(route, 'reply-does-not-fit', lost.concat(fitted.changes))
	if (joined.recalled > 0 || isLarge) await runtime.letOthersRun()
	const answer = leg.encode(fitted.value)
	if (conversation === undefined) return { answer }
	return { answer, offered: { conversation, reply: { turnId, offers: fitted.offers }, picked } }
}
