/** Finds the Durable Object of a conversation. */
import type { Conversation } from './conversation.ts'
import { webCrypto } from './crypto.ts'

/** Characters; platforms' ids are far shorter, and whoever sends a longer one shall not fill the platform's storage. */
const longestName = 256

export async function objectOf(
	conversations: DurableObjectNamespace<Conversation>,
	conversation: string,
): Promise<DurableObjectStub<Conversation>> {
	const name = conversation.length > longestName ? `sha256 ${await webCrypto.sha256(conversation)}` : conversation
	return conversations.get(conversations.idFromName(name))
}
