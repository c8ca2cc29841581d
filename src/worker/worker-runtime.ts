/** What a Worker lends to the gateway: fetch, Web Crypto, and its bindings for what must be remembered. */
import { waitUntil } from 'cloudflare:workers'
import type { Runtime } from '../runtime.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'
import { send } from './fetch-client.ts'
import { createState } from './remote-state.ts'
import { webCrypto } from './web-crypto.ts'
import { createOutbox } from './worker-outbox.ts'

/** A runtime on these bindings. */
export function createRuntime(bindings: Bindings): Runtime {
	return {
		send,
		now: () => Date.now(),
		elapsed: () => performance.now(),
		newId: () => `turn_${crypto.randomUUID()}`,
		crypto: webCrypto,
		state: createState(bindings.CONVERSATIONS, log),
		outbox: createOutbox(bindings, log),
		// The platform lets it go on for thirty seconds after the answer: what is promised stands elsewhere.
		background: waitUntil,
		log,
	}
}
