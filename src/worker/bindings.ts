/** What wrangler.toml gives the Worker: its storage, its queue, and by name the secrets that the configuration names. */
import type { Offer } from '../fit/index.ts'
import type { WireResponse } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'
import type { Delivery, OpenChoices } from '../runtime.ts'
import type { Pending, StoredClaim } from './conversation-state.ts'
import type { QueuedEvent } from './queued-event.ts'

/** What the gateway calls on the Durable Object of a conversation; the members named as in State do the same. */
export interface ConversationObject extends Rpc.DurableObjectBranded {
	openChoices(): OpenChoices
	addReply(offers: readonly Offer[]): Promise<void>
	addLateReply(reply: CanonicalReply): Promise<boolean>
	/** Each of them JSON. */
	takeLateReplies(): string[]
	/** Does not wait while another call holds the claim. */
	claim(call: string, lease: number): Promise<StoredClaim | Pending>
	/** Waits until no other call holds the claim. */
	claimNext(call: string, lease: number): Promise<StoredClaim>
	settle(call: string, fence: number, answer: WireResponse | undefined): void
	/** Accepts an event, as JSON, to be delivered behind those before it. */
	enqueue(delivery: string): Promise<'stored' | 'full'>
}

export interface Bindings {
	/** One object a conversation. */
	readonly CONVERSATIONS: DurableObjectNamespace<ConversationObject>
	/** Events of no conversation. */
	readonly EVENTS: Queue<QueuedEvent>
	/** Those of them that are dead letters. */
	readonly DEAD_EVENTS: Queue<Delivery>
}
