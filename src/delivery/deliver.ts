/** Delivers an accepted event to its upstream. */
import type { Route } from '../route.ts'
import type { Delivery, Runtime } from '../runtime.ts'
import { callUpstream } from '../upstream/index.ts'

/**
 * One attempt. Resolves when the upstream took the event, whatever it says to it: there is nobody to tell. Throws what
 * `callUpstream` throws. Every attempt has the same id and the same body; the signature is made anew.
 */
export async function deliver({ id, request }: Delivery, { upstream }: Route, runtime: Runtime): Promise<void> {
	const until = runtime.elapsed() + upstream.timeout
	// The outbox has a schedule, and calls are repeated in one place only.
	await callUpstream(upstream, request, { id, until, repeat: 'nothing' }, runtime)
}
