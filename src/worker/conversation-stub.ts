/** Finds the Durable Object of a conversation. */
import type { ConversationObject } from './bindings.ts'
import { webCrypto } from './web-crypto.ts'

/** Characters of an object's name. Ids of platforms are far shorter; a longer one is hashed, so it cannot waste storage. */
const maxNameLength = 256

/** The stub of the conversation's Durable Object. */
export async function conversationStub(
	conversations: DurableObjectNamespace<ConversationObject>,
	conversation: string,
): Promise<DurableObjectStub<ConversationObject>> {
	const name = conversation.length > maxNameLength ? `sha256 ${await webCrypto.sha256(conversation)}` : conversation
	return conversations.get(conversations.idFromName(name))
}
