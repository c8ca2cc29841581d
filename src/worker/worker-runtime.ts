/** The gateway's runtime on a Worker: fetch, Web Crypto, and the bindings for state and accepted events. */
import { waitUntil } from 'cloudflare:workers'
import type { Runtime } from '../runtime.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'
import { send } from './fetch-client.ts'
import { createMetrics } from './metrics.ts'
import { createState } from './remote-state.ts'
import { webCrypto } from './web-crypto.ts'
import { createOutbox, type OutboxParts } from './worker-outbox.ts'

/** Creates the runtime for these bindings. `attempt`: as for its outbox. */
export function createRuntime(bindings: Bindings, attempt: OutboxParts['attempt']): Runtime {
	return {
		send,
		now: () => Date.now(),
		elapsed: () => performance.now(),
		letOthersRun: () => scheduler.wait(0),
		newId: () => `turn_${crypto.randomUUID()}`,
		crypto: webCrypto,
		compactJwe: () => import('#compact-jwe'),
		state: createState(bindings.CONVERSATIONS, log),
		outbox: createOutbox(bindings, { log, background: waitUntil, attempt }),
		// The platform runs it for at most thirty seconds after the answer, so no accepted event depends on it.
		background: waitUntil,
		log,
		...(bindings.METRICS && { observer: createMetrics(bindings.METRICS) }),
	}
}
