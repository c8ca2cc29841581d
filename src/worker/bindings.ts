/** The bindings that wrangler.toml gives the Worker: its Durable Objects, its queue, and its metrics. */
import type { CanonicalReply } from '../model/index.ts'
import type { Beginning, EventDelivery, Settlement } from '../runtime.ts'
import type { Pending, StoredBegun } from './conversation-state.ts'
import type { QueuedEvent } from './queued-event.ts'

/** The methods of a conversation's Durable Object. Those with a name from `State` do the same. */
export interface ConversationObject extends Rpc.DurableObjectBranded {
	/**
	 * Claims the call with this fence, which is the caller's, so that a claim whose result was lost can be repeated. Returns
	 * immediately, even if another call holds the claim.
	 */
	begin(beginning: Beginning, fence: number): Promise<StoredBegun | Pending>
	/** Waits until no other call holds the claim. */
	beginNext(beginning: Beginning, fence: number): Promise<StoredBegun>
	/** Can be repeated when the result was lost. */
	settle(settlement: Settlement): Promise<boolean>
	addLateReply(reply: CanonicalReply): Promise<boolean>
	/** Returns each reply as JSON. */
	takeLateReplies(): string[]
	/**
	 * Stores deliveries, each as JSON, all or none, to be made after the earlier ones. `lease`: milliseconds in which the
	 * caller settles the one delivery itself; after them, it was interrupted.
	 */
	enqueue(deliveries: readonly string[], lease?: number): Promise<'stored' | 'full'>
	/**
	 * Writes down how the caller's attempt, which is the first, ended: as JSON. Changes nothing if the end of one is written
	 * down already, so that it can be repeated when the result was lost.
	 */
	settleDelivery(id: string, outcome: string): Promise<void>
}

/** The bindings of the Worker. The secrets that the configuration names are variables beside them. */
export interface Bindings {
	/** One object per conversation. */
	readonly CONVERSATIONS: DurableObjectNamespace<ConversationObject>
	/** Events without a conversation. */
	readonly EVENTS: Queue<QueuedEvent>
	/** Dead letters among the events without a conversation. */
	readonly DEAD_EVENTS: Queue<EventDelivery>
	/** Where metrics are written. Absent: nowhere. */
	readonly METRICS?: AnalyticsEngineDataset
}
