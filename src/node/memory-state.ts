/** The state of recent conversations in the memory of this process, limited in number, size and age. */
import { LRUCache } from 'lru-cache'
import type { WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { CanonicalReply } from '../model/index.ts'
import type { Claim, OpenChoices, State } from '../runtime.ts'
import { withReply } from '../turn/index.ts'

const cacheLimits = {
	/** Entries of each cache. */
	max: 100_000,
	/** Characters in each cache. */
	maxSize: 64 * 1024 * 1024,
	/** Milliseconds: a day. */
	ttl: 24 * 60 * 60 * 1000,
}

/** A call that is being answered. */
interface InFlight {
	readonly fence: number
	readonly settled: Promise<WireResponse | undefined>
	readonly settle: (answer: WireResponse | undefined) => void
}

/** Creates an empty state. With several processes, all calls of a conversation must reach the same one. */
export function createState(): State {
	const conversations = new LRUCache<string, OpenChoices>({ ...cacheLimits, sizeCalculation: jsonSize })
	const lateReplies = new LRUCache<string, readonly CanonicalReply[]>({ ...cacheLimits, sizeCalculation: jsonSize })
	const answers = new LRUCache<string, WireResponse>({ ...cacheLimits, sizeCalculation: jsonSize })
	const inFlight = new Map<string, InFlight>()
	let fences = 0

	function begin(key: string, lease: number): Claim {
		const { promise: settled, resolve } = Promise.withResolvers<WireResponse | undefined>()
		const fence = ++fences
		const end = (answer: WireResponse | undefined): void => {
			clearTimeout(timer)
			if (inFlight.get(key)?.fence === fence) inFlight.delete(key)
			resolve(answer)
		}
		const timer = setTimeout(end, lease, undefined)
		timer.unref()
		inFlight.set(key, { fence, settled, settle: end })
		return { fence }
	}

	return {
		async openChoices(conversation) {
			return conversations.get(conversation) ?? []
		},
		async addReply(conversation, reply, picked) {
			const open = withReply(conversations.get(conversation) ?? [], reply, picked)
			if (open) conversations.set(conversation, open)
			else conversations.delete(conversation)
		},
		async closeChoices(conversation) {
			conversations.delete(conversation)
		},
		async addLateReply(conversation, reply) {
			const replies = [...(lateReplies.get(conversation) ?? []), reply]
			if (replies.length > limits.lateReplies.value) return false
			lateReplies.set(conversation, replies)
			return lateReplies.has(conversation)
		},
		async takeLateReplies(conversation) {
			const replies = lateReplies.get(conversation) ?? []
			lateReplies.delete(conversation)
			return replies
		},
		async claim(conversation, call, lease) {
			const key = `${conversation} ${call}`
			for (;;) {
				const answer = answers.get(key)
				if (answer) return { answer }
				const other = inFlight.get(key)
				if (!other) return begin(key, lease)
				await other.settled
			}
		},
		async settle(conversation, call, fence, answer) {
			const key = `${conversation} ${call}`
			const mine = inFlight.get(key)
			if (mine?.fence !== fence) return
			if (answer) answers.set(key, answer)
			mine.settle(answer)
		},
	}
}

function jsonSize(value: unknown, key: string): number {
	return key.length + JSON.stringify(value).length
}
