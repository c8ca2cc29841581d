/** An attempt to deliver an event that a conversation's object or the queue holds. */
import { type AcceptedEvent, attempt, type Clock, type Outcome } from '../delivery/index.ts'
import { assembledGateway } from './assemble.ts'
import type { Bindings } from './bindings.ts'

/** Milliseconds that an event is postponed for at least: each alarm and each message is paid for. */
const shortestPostponement = 5000
/** Milliseconds for which an event is postponed when the configuration cannot be used. */
const unusablePostponement = 5 * 60_000

const clock: Clock = {
	now: () => Date.now(),
	after(milliseconds, run) {
		const timer = setTimeout(run, milliseconds)
		return () => clearTimeout(timer)
	},
}

/** Never rejects. `object` is the id of the conversation's object that holds the event. */
export async function attemptDelivery(event: AcceptedEvent, bindings: Bindings, object?: string): Promise<Outcome> {
	const gateway = assembledGateway(bindings)
	if (!gateway) return { result: 'postponed', error: 'internal', until: Date.now() + unusablePostponement }
	const { routes, schedule, runtime } = gateway
	const context = { routes: () => routes, schedule, runtime, clock, random: Math.random }
	const outcome = await attempt(event, object === undefined ? context : { ...context, logFields: { object } })
	if (outcome.result !== 'postponed') return outcome
	return { ...outcome, until: Math.max(outcome.until, Date.now() + shortestPostponement) }
}
