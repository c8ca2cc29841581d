/** Answers that came after their platform had got the holding reply: they stand before the conversation's next reply. */
import { asGatewayError, GatewayError } from '../errors.ts'
import type { CanonicalReply, Change } from '../model/index.ts'
import type { HoldingReply } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { recordChanges, type TurnContext } from './context.ts'

/** Whether a reply can be said on its platform as its route wants it, when joining it lost so much already. */
export type Fits = (reply: CanonicalReply, lost: readonly Change[]) => boolean

/** Hears a late upstream out, and keeps what it says. Never rejects; one line in the log tells what became of it. */
export async function storeLateReply(
	turn: TurnContext,
	asked: Promise<CanonicalReply>,
	becomes: HoldingReply['answer'],
	fits: Fits,
	{ state, elapsed, log }: Runtime,
): Promise<void> {
	const line = { msg: 'late', turn: turn.turnId, route: turn.route.name }
	const ms = () => Math.round(elapsed() - turn.startedAt)
	try {
		const reply = await asked
		// Kept, it would fail every turn that comes.
		if (becomes === 'next-turn' && !fits(reply, [])) throw new GatewayError('reply-does-not-fit')
		const { conversation } = turn
		const kept =
			becomes === 'next-turn' && conversation !== undefined && (await state.addLateReply(conversation, reply))
		log({ level: kept || becomes === 'drop' ? 'info' : 'warn', ...line, did: kept ? 'kept' : 'dropped', ms: ms() })
	} catch (thrown) {
		const { code, context } = asGatewayError(thrown)
		log({ level: 'error', ...line, did: 'failed', error: code, upstreamStatus: context.upstreamStatus, ms: ms() })
	}
}

/**
 * The reply behind the late ones of its conversation, oldest first. They are taken: no other turn says them again. Those
 * with which it does not fit wait for the next one.
 */
export async function prependLateReplies(
	turn: TurnContext,
	reply: CanonicalReply,
	fits: Fits,
	{ state }: Runtime,
): Promise<CanonicalReply> {
	const { conversation, route } = turn
	if (conversation === undefined || route.holding?.answer !== 'next-turn') return reply
	const replies = await state.takeLateReplies(conversation)
	let recalled = replies.length
	let whole = joined(replies, reply)
	while (recalled > 0 && !fits(whole.reply, whole.lost)) whole = joined(replies.slice(0, --recalled), reply)
	for (const each of replies.slice(recalled)) await state.addLateReply(conversation, each)
	turn.recalled = recalled
	recordChanges(turn, whole.lost)
	return whole.reply
}

/** One reply behind others: of what there can be only one, the last stands. */
function joined(before: readonly CanonicalReply[], last: CanonicalReply): { reply: CanonicalReply; lost: Change[] } {
	const lost: Change[] = []
	const reply = [...before, last].reduce((first, second) => {
		for (const part of ['control', 'overrides'] as const) {
			const twice = Object.keys(first[part] ?? {}).filter((name) => Object.hasOwn(second[part] ?? {}, name))
			for (const name of twice) lost.push({ path: `${part}.${name}`, feature: 'reply', did: 'dropped', detail: 'late' })
		}
		const control = { ...first.control, ...second.control }
		const overrides = { ...first.overrides, ...second.overrides }
		return {
			messages: [...first.messages, ...second.messages],
			attributes: {
				session: { ...first.attributes.session, ...second.attributes.session },
				user: { ...first.attributes.user, ...second.attributes.user },
			},
			...(Object.keys(control).length > 0 && { control }),
			...(Object.keys(overrides).length > 0 && { overrides }),
		}
	})
	return { reply, lost }
}
