/** A call that its platform sends again gets the same answer, and reaches the upstream once. */
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import type { TurnContext } from './context.ts'

/**
 * Takes the turn, unless the same call was answered before: on the same route, with the platform's own event id and the
 * same body. Without an id every call is new, for two people may both say "ok". A turn that throws is not remembered.
 */
export async function deduplicate(
	turn: TurnContext,
	call: WireRequest,
	{ state, crypto, elapsed }: Runtime,
	take: () => Promise<WireResponse>,
): Promise<WireResponse> {
	const id = turn.event?.id
	if (id === undefined) return take()
	const digest = await crypto.sha256(JSON.stringify([call.method, call.query, call.body]))
	const key = JSON.stringify([turn.platform.name, id, digest])
	const memory = turn.conversation ?? `${turn.route.name} ${id}`

	const claim = await state.claim(memory, key, Math.max(0, turn.answerBy - elapsed()))
	if ('answer' in claim) {
		turn.duplicate = true
		return claim.answer
	}
	let answer: WireResponse | undefined
	try {
		answer = await take()
		return answer
	} finally {
		await state.settle(memory, key, claim.fence, answer)
	}
}
