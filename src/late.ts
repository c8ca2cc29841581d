/** Answers that came after their platform had got the holding reply: they stand before the conversation's next reply. */
import type { CanonicalReply } from './canonical.ts'
import { asGatewayError } from './errors.ts'
import type { Late } from './route.ts'
import type { Runtime } from './runtime.ts'
import { keepChanges, type TurnInHand } from './turn.ts'

/** Hears a late upstream out, and keeps what it says. Never rejects; one line in the log tells what became of it. */
export async function keepLate(
	turn: TurnInHand,
	asked: Promise<CanonicalReply>,
	becomes: Late['answer'],
	{ state, elapsed, log }: Runtime,
): Promise<void> {
	const line = { msg: 'late', turn: turn.turn, route: turn.route.name }
	const ms = () => Math.round(elapsed() - turn.startedAt)
	try {
		const reply = await asked
		const { conversation } = turn
		const kept = becomes === 'next-turn' && conversation !== undefined && (await state.keepLate(conversation, reply))
		log({ level: kept || becomes === 'drop' ? 'info' : 'warn', ...line, did: kept ? 'kept' : 'dropped', ms: ms() })
	} catch (thrown) {
		const { code, context } = asGatewayError(thrown)
		log({ level: 'error', ...line, did: 'failed', error: code, upstreamStatus: context.upstreamStatus, ms: ms() })
	}
}

/** The reply behind the late ones of its conversation, oldest first. They are taken: no other turn says them again. */
export async function recallLate(turn: TurnInHand, reply: CanonicalReply, { state }: Runtime): Promise<CanonicalReply> {
	const { conversation, route } = turn
	if (conversation === undefined || route.late?.answer !== 'next-turn') return reply
	const replies = await state.takeLate(conversation)
	turn.recalled = replies.length
	return [...replies, reply].reduce((before, after) => joined(turn, before, after))
}

/** One reply behind another: of what there can be only one, the later stands. */
function joined(turn: TurnInHand, before: CanonicalReply, after: CanonicalReply): CanonicalReply {
	const control = { ...before.control, ...after.control }
	const overrides = { ...before.overrides, ...after.overrides }
	const lost = (part: 'control' | 'overrides') =>
		Object.keys(before[part] ?? {})
			.filter((name) => Object.hasOwn(after[part] ?? {}, name))
			.map((name) => ({ path: `${part}.${name}`, feature: 'reply', did: 'dropped', detail: 'late' }) as const)
	keepChanges(turn, [...lost('control'), ...lost('overrides')])
	return {
		messages: [...before.messages, ...after.messages],
		attributes: {
			session: { ...before.attributes.session, ...after.attributes.session },
			user: { ...before.attributes.user, ...after.attributes.user },
		},
		...(Object.keys(control).length > 0 && { control }),
		...(Object.keys(overrides).length > 0 && { overrides }),
	}
}
