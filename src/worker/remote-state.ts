/** The state of conversations, each in its Durable Object. */
import type { LogLine, State } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import type { ConversationObject } from './bindings.ts'
import type { StoredClaim } from './conversation-state.ts'
import { conversationStub } from './conversation-stub.ts'
import { webCrypto } from './web-crypto.ts'

/** Milliseconds for an operation that does not wait for another call. */
const defaultTimeout = 1000
/** Milliseconds for which an object that timed out is not called again, so that a turn waits for it only once. */
const pause = 10_000
/** Conversations to remember as unresponsive. */
const maxUnresponsive = 1000

/** Milliseconds before each repetition of a call that broke off. An object that restarts is soon there again. */
const pauses = [100, 300, 1000] as const

/** The fence of a claim that no object holds; any other fence is never 0. */
const noFence = 0
const unclaimed: StoredClaim = { fence: noFence }

/**
 * Creates the state. If an object cannot be reached within `timeout` milliseconds, the turn goes on without it, and the
 * failure is counted and logged.
 */
export function createState(
	conversations: DurableObjectNamespace<ConversationObject>,
	log: (line: LogLine) => void,
	timeout = defaultTimeout,
): State {
	let failures = 0
	/** Unix time in ms at which an unresponsive conversation may be called again. */
	const unresponsive = new Map<string, number>()

	function markUnresponsive(conversation: string): void {
		unresponsive.delete(conversation)
		unresponsive.set(conversation, Date.now() + pause)
		const [oldest] = unresponsive.keys()
		if (unresponsive.size > maxUnresponsive && oldest !== undefined) unresponsive.delete(oldest)
	}

	/** Calls that may be repeated after they broke off must do the same a second time. */
	async function callObject<T>(
		did: keyof State,
		conversation: string,
		milliseconds: number,
		fallback: T,
		call: (object: DurableObjectStub<ConversationObject>) => Promise<T>,
		repeatAfter: readonly number[] = [],
	): Promise<T> {
		const failed = (cause: string | undefined): T => {
			log({ level: 'warn', msg: 'state', did, failures: ++failures, cause })
			return fallback
		}
		const from = Date.now()
		if ((unresponsive.get(conversation) ?? 0) > from) return failed('no answer a moment ago')
		try {
			const calling = conversationStub(conversations, conversation).then(call)
			const result = await withTimeout(milliseconds, calling)
			if (result !== timedOut) return result
			markUnresponsive(conversation)
			return failed(`no answer within ${milliseconds} ms`)
		} catch (thrown) {
			const result = failed(thrown instanceof Error ? thrown.message : undefined)
			const [pause, ...later] = repeatAfter
			if (pause === undefined) return result
			await new Promise<void>((resume) => setTimeout(resume, pause))
			const left = Math.max(0, milliseconds - (Date.now() - from))
			return await callObject(did, conversation, left, fallback, call, later)
		}
	}

	return {
		openChoices: (conversation) =>
			callObject('openChoices', conversation, timeout, [], async (object) => await object.openChoices()),
		addReply: (conversation, reply, picked) =>
			callObject('addReply', conversation, timeout, true, async (object) => await object.addReply(reply, picked)),
		closeChoices: (conversation) =>
			callObject('closeChoices', conversation, timeout, undefined, async (object) => await object.closeChoices()),
		addLateReply: (conversation, reply) =>
			callObject('addLateReply', conversation, timeout, false, async (object) => await object.addLateReply(reply)),
		async takeLateReplies(conversation) {
			const none: readonly string[] = []
			const replies = await callObject(
				'takeLateReplies',
				conversation,
				timeout,
				none,
				async (object) => await object.takeLateReplies(),
			)
			return replies.map((reply) => JSON.parse(reply))
		},
		async claim(conversation, call, lease) {
			const [key, fence] = [await webCrypto.sha256(call), newFence()]
			const first = await callObject(
				'claim',
				conversation,
				timeout,
				unclaimed,
				async (object) => await object.claim(key, lease, fence),
			)
			// Another call holds the claim: wait for as long as that call may take, also over restarts of the object.
			const claim =
				'pending' in first
					? await callObject(
							'claim',
							conversation,
							timeout + Math.max(first.pending, lease),
							unclaimed,
							async (object) => await object.claimNext(key, lease, fence),
							pauses,
						)
					: first
			return 'fence' in claim ? claim : { answer: JSON.parse(claim.answer) }
		},
		async settle(conversation, call, fence, answer) {
			if (fence === noFence) return
			const key = await webCrypto.sha256(call)
			await callObject(
				'settle',
				conversation,
				timeout,
				undefined,
				async (object) => await object.settle(key, fence, answer),
				pauses,
			)
		},
	}
}

/** A random number of 48 bits, because the last fence may have been deleted and must not come twice. Never 0. */
function newFence(): number {
	const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
	return (high >>> 16) * 2 ** 32 + low + 1
}
