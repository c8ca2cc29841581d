/** Finds the Durable Object of a conversation, and says when to call it again. */
import type { ConversationObject } from './bindings.ts'
import { webCrypto } from './web-crypto.ts'

/** Characters of an object's name. Ids of platforms are far shorter; a longer one is hashed, so it cannot waste storage. */
const maxNameLength = 256

/** Milliseconds at most before each repetition of a call that broke off. An object that restarts is soon there again. */
export const pauses = [100, 300, 1000] as const

/** The stub of the conversation's Durable Object. */
export async function conversationStub(
	conversations: DurableObjectNamespace<ConversationObject>,
	conversation: string,
): Promise<DurableObjectStub<ConversationObject>> {
	const name = conversation.length > maxNameLength ? `sha256 ${await webCrypto.sha256(conversation)}` : conversation
	return conversations.get(conversations.idFromName(name))
}
