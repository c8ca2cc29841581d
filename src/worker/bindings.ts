/** What wrangler.toml gives the Worker: its storage, its queue, and by name the secrets that the configuration names. */
import type { Delivery } from '../delivery.ts'
import type { Conversation } from './conversation.ts'

export interface Bindings {
	/** One object a conversation. */
	readonly CONVERSATIONS: DurableObjectNamespace<Conversation>
	/** Events of no conversation. */
	readonly EVENTS: Queue<Delivery>
}
