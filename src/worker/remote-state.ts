/** Short-lived memory in the Durable Object of each conversation, as far as it can be reached. */
import type { LogLine, State } from '../runtime.ts'
import type { ConversationObject } from './bindings.ts'
import type { StoredClaim } from './conversation-state.ts'
import { conversationStub } from './conversation-stub.ts'
import { NoAnswer, withStorageTimeout } from './storage-timeout.ts'
import { webCrypto } from './web-crypto.ts'

/** Milliseconds for what an object does at once. */
const defaultLimit = 1000
/** Milliseconds for which one that did not answer is not asked again: a turn waits for it once, and not at every step. */
const pause = 10_000
/** Conversations of which that is known. */
const maxSilent = 1000

/** The fence of a claim that no object knows: an object's own is never 0. */
const noFence = 0
const unclaimed: StoredClaim = { fence: noFence }

/** An object that cannot be reached within `limit` milliseconds knows nothing; each time counts, and is a line in the log. */
export function createState(
	conversations: DurableObjectNamespace<ConversationObject>,
	log: (line: LogLine) => void,
	limit = defaultLimit,
): State {
	let failures = 0
	/** Until when. */
	const silent = new Map<string, number>()

	function keepSilent(conversation: string): void {
		silent.delete(conversation)
		silent.set(conversation, Date.now() + pause)
		const [oldest] = silent.keys()
		if (silent.size > maxSilent && oldest !== undefined) silent.delete(oldest)
	}

	async function ask<T>(
		did: keyof State,
		conversation: string,
		wait: number,
		otherwise: T,
		call: (object: DurableObjectStub<ConversationObject>) => Promise<T>,
	): Promise<T> {
		try {
			if ((silent.get(conversation) ?? 0) > Date.now()) throw new Error('no answer a moment ago')
			return await withStorageTimeout(wait, call(await conversationStub(conversations, conversation)))
		} catch (thrown) {
			if (thrown instanceof NoAnswer) keepSilent(conversation)
			const cause = thrown instanceof Error ? thrown.message : undefined
			log({ level: 'warn', msg: 'state', did, failures: ++failures, cause })
			return otherwise
		}
	}

	return {
		openChoices: (conversation) =>
			ask('openChoices', conversation, limit, [], async (object) => await object.openChoices()),
		addReply: (conversation, offers) =>
			ask('addReply', conversation, limit, undefined, async (object) => await object.addReply(offers)),
		addLateReply: (conversation, reply) =>
			ask('addLateReply', conversation, limit, false, async (object) => await object.addLateReply(reply)),
		async takeLateReplies(conversation) {
			const none: readonly string[] = []
			const replies = await ask(
				'takeLateReplies',
				conversation,
				limit,
				none,
				async (object) => await object.takeLateReplies(),
			)
			return replies.map((reply) => JSON.parse(reply))
		},
		async claim(conversation, call, lease) {
			const key = await webCrypto.sha256(call)
			const first = await ask('claim', conversation, limit, unclaimed, async (object) => await object.claim(key, lease))
			// Whoever is second waits for as long as the first may take.
			const claim =
				'pending' in first
					? await ask(
							'claim',
							conversation,
							limit + Math.max(first.pending, lease),
							unclaimed,
							async (object) => await object.claimNext(key, lease),
						)
					: first
			return 'fence' in claim ? claim : { answer: JSON.parse(claim.answer) }
		},
		async settle(conversation, call, fence, answer) {
			if (fence === noFence) return
			const key = await webCrypto.sha256(call)
			await ask('settle', conversation, limit, undefined, async (object) => await object.settle(key, fence, answer))
		},
	}
}
