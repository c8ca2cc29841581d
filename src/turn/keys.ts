/** The key under which the state remembers a conversation. */
import type { Crypto } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'

/**
 * The key of an event's conversation. Undefined when the event names none. It holds the route, because ids are unique
 * only within one account of a platform.
 */
export function conversationKey(
	route: Route,
	{ conversation }: CanonicalEvent,
	crypto: Crypto,
): string | undefined | Promise<string> {
	return conversation === undefined ? undefined : keyOf(route, conversation, crypto)
}

/** The key of something that the route's platform gave an id. An id that is too long is hashed. */
export function keyOf({ name }: Route, id: string, crypto: Crypto): string | Promise<string> {
	const key = `${name} ${id}`
	return key.length > limits.conversationKey.value ? hashed(key, crypto) : key
}

async function hashed(key: string, crypto: Crypto): Promise<string> {
	return `sha256 ${await crypto.sha256(key)}`
}
