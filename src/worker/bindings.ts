/** The bindings that wrangler.toml gives the Worker: its Durable Objects and its queue. */
import type { WireResponse } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'
import type { Delivery, OpenChoices, OpenReply, PickedSet } from '../runtime.ts'
import type { Pending, StoredClaim } from './conversation-state.ts'
import type { QueuedEvent } from './queued-event.ts'

/** The methods of a conversation's Durable Object. Those with a name from `State` do the same. */
export interface ConversationObject extends Rpc.DurableObjectBranded {
	openChoices(): OpenChoices
	addReply(reply: OpenReply, picked: PickedSet | undefined): Promise<boolean>
	closeChoices(): void
	addLateReply(reply: CanonicalReply): Promise<boolean>
	/** Returns each reply as JSON. */
	takeLateReplies(): string[]
	/**
	 * Claims the call with this fence, which is the caller's, so that a claim whose result was lost can be repeated. Returns
	 * immediately, even if another call holds the claim.
	 */
	claim(call: string, lease: number, fence: number): Promise<StoredClaim | Pending>
	/** Waits until no other call holds the claim. */
	claimNext(call: string, lease: number, fence: number): Promise<StoredClaim>
	settle(call: string, fence: number, answer: WireResponse | undefined): void
	/** Stores an event, as JSON, to be delivered after the earlier ones. */
	enqueue(delivery: string): Promise<'stored' | 'full'>
}

/** The bindings of the Worker. The secrets that the configuration names are variables beside them. */
export interface Bindings {
	/** One object per conversation. */
	readonly CONVERSATIONS: DurableObjectNamespace<ConversationObject>
	/** Events without a conversation. */
	readonly EVENTS: Queue<QueuedEvent>
	/** Dead letters among the events without a conversation. */
	readonly DEAD_EVENTS: Queue<Delivery>
}
