/** A call that its platform sends again gets the same answer, and reaches the upstream once. */
import type { WireResponse } from '../format/index.ts'
import type { Runtime, State } from '../runtime.ts'
import type { Received, TurnContext } from './context.ts'
import { keyOf } from './keys.ts'

/** A call that came before has its answer; a call that this turn is to answer is held until it is settled; a call that nothing identifies has neither. */
export interface CallClaim {
	readonly answer?: WireResponse
	readonly held?: { readonly conversation: string; readonly call: string; readonly fence: number }
}

/**
 * Claims a call. Two calls are the same on the same route, with the platform's own event id and the same body. Without
 * an id every call is new, for two people may both say "ok".
 */
export async function claimCall(
	{ call: { method, query, body }, route, answerBy }: TurnContext,
	{ platform, event: { id }, conversation }: Received,
	{ state, crypto, elapsed }: Runtime,
): Promise<CallClaim> {
	if (id === undefined) return {}
	const key = conversation ?? (await keyOf(route, id, crypto))
	const call = await crypto.sha256(JSON.stringify([platform.name, id, method, query, body]))
	const claim = await state.claim(key, call, Math.max(0, answerBy - elapsed()))
	return 'answer' in claim ? claim : { held: { conversation: key, call, fence: claim.fence } }
}

/** Ends a claim. Without an answer the turn failed, and the call is new when it comes again. */
export async function settleCall({ held }: CallClaim, answer: WireResponse | undefined, state: State): Promise<void> {
	if (held) await state.settle(held.conversation, held.call, held.fence, answer)
}
