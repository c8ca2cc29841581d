/** Finds the Durable Object of a conversation. */
import type { ConversationObject } from './bindings.ts'
import { webCrypto } from './web-crypto.ts'

/** Characters; platforms' ids are far shorter, and whoever sends a longer one shall not fill the platform's storage. */
const longestName = 256

export async function conversationStub(
	conversations: DurableObjectNamespace<ConversationObject>,
	conversation: string,
): Promise<DurableObjectStub<ConversationObject>> {
	const name = conversation.length > longestName ? `sha256 ${await webCrypto.sha256(conversation)}` : conversation
	return conversations.get(conversations.idFromName(name))
}
