/** What is sent again, a platform's call or a backend's reply, gets the same answer and has no second effect. */
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import type { Runtime, State } from '../runtime.ts'
import type { Received, TurnContext } from './context.ts'
import { keyOf } from './keys.ts'

/** A call that came before has its answer; a call that this turn is to answer is held until it is settled; a call that nothing identifies has neither. */
export interface CallClaim {
	readonly answer?: WireResponse
	readonly held?: {
		readonly conversation: string
		readonly call: string
		readonly fence: number
		/** The hash of the body that was claimed, where another body is to be told from it. */
		readonly hash?: string
	}
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

/** Milliseconds for which a reply is claimed: longer than its acceptance may take. */
const replyLease = 15_000

/** The first header of a stored answer to a reply: the hash of the body that it answers. It is never sent. */
const hashHeader = 'body-sha256'

/**
 * Claims a reply that the backend sends by itself. Two are the same in one conversation with the same `idempotency-key`
 * (draft-ietf-httpapi-idempotency-key-header). Without one every reply is new. Throws `idempotency-key-reused` if its body
 * is another one.
 */
export async function claimReply(
	conversation: string,
	{ headers, body }: Pick<WireResponse, 'headers' | 'body'>,
	{ state, crypto }: Pick<Runtime, 'state' | 'crypto'>,
): Promise<CallClaim> {
	const [, key] = headers.find(([name]) => name === 'idempotency-key') ?? []
	if (key === undefined) return {}
	const [call, hash] = [await crypto.sha256(JSON.stringify(['reply', key])), await crypto.sha256(body)]
	const claim = await state.claim(conversation, call, replyLease)
	if ('fence' in claim) return { held: { conversation, call, fence: claim.fence, hash } }
	const [[, answered] = [], ...others] = claim.answer.headers
	if (answered !== hash) throw new GatewayError('idempotency-key-reused')
	return { answer: { ...claim.answer, headers: others } }
}

/** Ends a claim. Without an answer the turn failed, and the call is new when it comes again. */
export async function settleCall({ held }: CallClaim, answer: WireResponse | undefined, state: State): Promise<void> {
	if (!held) return
	const { conversation, call, fence, hash } = held
	const marked: WireResponse | undefined =
		answer && hash !== undefined ? { ...answer, headers: [[hashHeader, hash], ...answer.headers] } : answer
	await state.settle(conversation, call, fence, marked)
}
