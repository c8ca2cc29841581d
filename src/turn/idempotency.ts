/** Repeated calls of a platform, and repeated replies of a backend: they get the same answer, and have no second effect. */
import { GatewayError } from '../errors.ts'
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { OpenChoices, OpenReply, PickedSet, Runtime, State } from '../runtime.ts'
import { choicesAskedFor } from './choices.ts'
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
	/** The choices that the conversation has open, where the event may pick one of them. */
	readonly open?: OpenChoices
}

/** What a reply offered, and where. */
export interface Offered {
	/** The key of the conversation. */
	readonly conversation: string
	readonly reply: OpenReply
	/** The set that the reply answers a pick from. */
	readonly picked: PickedSet | undefined
}

/**
 * Claims a call, and asks for the choices that its conversation has open, both at once, for the state may be far. Two
 * calls are the same if they have the same route, event id of the platform, and body. Without an id every call is new, for
 * two people may both say "ok".
 */
export async function claimCall(
	{ route, answerBy }: TurnContext,
	{ method, query, body }: WireRequest,
	received: Received,
	{ state, crypto, elapsed }: Runtime,
): Promise<CallClaim> {
	const { platform, event, conversation } = received
	const choices = choicesAskedFor(received)
	if (event.id === undefined) {
		if (!choices || conversation === undefined) return {}
		const begun = await state.begin(conversation, { choices })
		return 'answer' in begun ? begun : { open: begun.open }
	}
	const key = conversation ?? (await keyOf(route, event.id, crypto))
	// The body by its hash: to put all of it behind the other parts would copy it.
	const call = await crypto.sha256(JSON.stringify([platform.name, event.id, method, query, await crypto.sha256(body)]))
	const claim = { call, lease: Math.max(0, answerBy - elapsed()) }
	const begun = await state.begin(key, choices ? { claim, choices } : { claim })
	if ('answer' in begun) return begun
	const { fence, open } = begun
	return fence === undefined ? { open } : { held: { conversation: key, call, fence }, open }
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
	const begun = await state.begin(conversation, { claim: { call, lease: replyLease } })
	if (!('answer' in begun)) {
		return begun.fence === undefined ? {} : { held: { conversation, call, fence: begun.fence, hash } }
	}
	const [[, answered] = [], ...others] = begun.answer.headers
	if (answered !== hash) throw new GatewayError('idempotency-key-reused')
	return { answer: { ...begun.answer, headers: others } }
}

/**
 * Ends a claim, and stores what the answer offered. Without an answer the turn failed, and the call is new when it comes
 * again. False: choices were forgotten.
 */
export function settleCall(
	{ held }: CallClaim,
	answer: WireResponse | undefined,
	offered: Offered | undefined,
	state: State,
): boolean | Promise<boolean> {
	if (!held) {
		if (!offered) return true
		const { conversation, ...reply } = offered
		return state.settle(conversation, reply)
	}
	const { conversation, call, fence, hash } = held
	const marked: WireResponse | undefined =
		answer && hash !== undefined ? { ...answer, headers: [[hashHeader, hash], ...answer.headers] } : answer
	const claim = { call, fence, answer: marked }
	return state.settle(conversation, offered ? { claim, reply: offered.reply, picked: offered.picked } : { claim })
}
