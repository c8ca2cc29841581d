/** Short-lived memory in this process: the conversations used last, within bounds of number, size and time. */
import { LRUCache } from 'lru-cache'
import { type OpenChoices, withReply } from '../choices.ts'
import type { State } from '../runtime.ts'

const limits = {
	/** Conversations. */
	max: 100_000,
	/** Characters, all choices together. */
	maxSize: 64 * 1024 * 1024,
	/** Milliseconds: whoever comes back the next day chooses anew. */
	ttl: 24 * 60 * 60 * 1000,
}

/** An empty memory. Several processes need the calls of a conversation to come to the same one. */
export function createState(): State {
	const conversations = new LRUCache<string, OpenChoices>({
		...limits,
		sizeCalculation: (open, key) => key.length + JSON.stringify(open).length,
	})
	return {
		async openChoices(conversation) {
			return conversations.get(conversation) ?? []
		},
		async addReply(conversation, offers) {
			const open = withReply(conversations.get(conversation) ?? [], offers)
			if (open) conversations.set(conversation, open)
			else conversations.delete(conversation)
		},
	}
}
