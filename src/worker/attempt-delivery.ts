/** An attempt to make a delivery that a conversation's object or the queue holds. */
import { type Accepted, attempt, type Outcome } from '../delivery/index.ts'
import { assembledGateway } from './assemble.ts'
import type { Bindings } from './bindings.ts'

/** Milliseconds that an event is postponed for at least: each alarm and each message is paid for. */
const shortestPostponement = 5000
/** Milliseconds for which an event is postponed when the configuration cannot be used. */
const unusablePostponement = 5 * 60_000

/** Never rejects. `object` is the id of the conversation's object that holds it. */
export async function attemptDelivery(event: Accepted, bindings: Bindings, object?: string): Promise<Outcome> {
	const gateway = assembledGateway(bindings)
	if (!gateway) return { result: 'postponed', error: 'internal', until: Date.now() + unusablePostponement }
	const { delivering } = gateway
	const outcome = await attempt(event, object === undefined ? delivering : { ...delivering, logFields: { object } })
	if (outcome.result !== 'postponed') return outcome
	return { ...outcome, until: Math.max(outcome.until, Date.now() + shortestPostponement) }
}
