/** The state of conversations, each in its Durable Object. */
import type { Begun, LogLine, State } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import type { ConversationObject } from './bindings.ts'
import type { StoredBegun } from './conversation-state.ts'
import { conversationStub, pauses } from './conversation-stub.ts'
import { webCrypto } from './web-crypto.ts'

/** Milliseconds for an operation that does not wait for another call. */
const defaultTimeout = 1000
/** Milliseconds for which an object that timed out is not called again, so that a turn waits for it only once. */
const restTime = 10_000
/** Conversations to remember as unresponsive. */
const maxUnresponsive = 1000

/** What a turn begins with where no object can be reached: no claim is held. */
const nothing: StoredBegun = { open: [] }

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
		unresponsive.set(conversation, Date.now() + restTime)
		const [oldest] = unresponsive.keys()
		if (unresponsive.size > maxUnresponsive && oldest !== undefined) unresponsive.delete(oldest)
	}

	/**
	 * Calls an object, for `milliseconds` at most, repetitions included. Calls that may be repeated after they broke off must
	 * do the same a second time.
	 */
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
		const now = Date.now()
		const until = now + milliseconds
		if ((unresponsive.get(conversation) ?? 0) > now) return failed('no answer a moment ago')
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
			// Half of what is left is for the call: one that has no time would look like an object that does not answer.
			const wait = Math.min(pause, Math.max(0, until - Date.now()) / 2)
			await new Promise<void>((resume) => setTimeout(resume, wait))
			return await callObject(did, conversation, Math.max(0, until - Date.now()), fallback, call, later)
		}
	}

	return {
		async begin(conversation, given) {
			const { claim } = given
			const beginning = claim ? { ...given, claim: { ...claim, call: await webCrypto.sha256(claim.call) } } : given
			const fence = newFence()
			const first = await callObject(
				'begin',
				conversation,
				timeout,
				nothing,
				async (object) => await object.begin(beginning, fence),
			)
			if (!('pending' in first)) return begunOf(first)
			// Another call holds the claim: wait for as long as that call may take, also over restarts of the object.
			const next = await callObject(
				'begin',
				conversation,
				timeout + Math.max(first.pending, claim?.lease ?? 0),
				nothing,
				async (object) => await object.beginNext(beginning, fence),
				pauses,
			)
			return begunOf(next)
		},
		async settle(conversation, given) {
			const { claim } = given
			const settlement = claim ? { ...given, claim: { ...claim, call: await webCrypto.sha256(claim.call) } } : given
			return await callObject(
				'settle',
				conversation,
				timeout,
				true,
				async (object) => await object.settle(settlement),
				// Where no claim is held, the object could not be reached a moment ago, or no other call waits for this one.
				claim ? pauses : [],
			)
		},
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
	}
}

function begunOf(begun: StoredBegun): Begun {
	return 'answer' in begun ? { answer: JSON.parse(begun.answer) } : begun
}

/** A random number of 48 bits, because the last fence may have been deleted and must not come twice. */
function newFence(): number {
	const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
	return (high >>> 16) * 2 ** 32 + low
}
