/** An accepted event on its way to the upstream, when nobody waits for an answer. */
import type { WireRequest } from './codec.ts'
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'
import { callUpstream } from './upstream.ts'

/** What is stored of an accepted event: plain JSON. */
export interface Delivery {
	/** The turn's id; the `webhook-id` of every attempt. */
	readonly id: string
	/** Names of the route and of the adapter that took the call. */
	readonly route: string
	readonly platform: string
	/** RFC 3339. */
	readonly receivedAt: string
	/** Events of one conversation keep their order. Absent: it stands alone. */
	readonly conversation?: string
	/** The request as it goes to the upstream, unsigned: signatures and secrets are put on at each attempt. */
	readonly request: WireRequest
}

/**
 * One attempt. Resolves when the upstream took the event, whatever it says to it: there is nobody to tell. Throws what
 * `callUpstream` throws. Every attempt has the same id and the same body; the signature is made anew.
 */
export async function deliver({ id, request }: Delivery, { upstream }: Route, runtime: Runtime): Promise<void> {
	const until = runtime.elapsed() + upstream.timeout
	// The outbox has a schedule, and calls are repeated in one place only.
	await callUpstream(upstream, request, { id, until, repeat: 'nothing' }, runtime)
}
