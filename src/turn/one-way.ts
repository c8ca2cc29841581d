/** Events whose answer the platform does not read: they leave the data path before the upstream's reply. */
import { GatewayError } from '../errors.ts'
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { EventDelivery, Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { acceptanceLimits, type Received, type TurnContext } from './context.ts'

/** The answer that the platform does not read. */
export const acknowledgement: WireResponse = { status: 200, headers: [], body: '' }

/** An event as it is stored. */
interface StoredEvent {
	/** The platform's event, without secrets. */
	readonly event: CanonicalEvent
	/** The request to the upstream. */
	readonly request: WireRequest
}

/**
 * Accepts an event: with an outbox, resolves once it is on stable storage; without one, once the upstream took it, with
 * the upstream's status. Its reply is pushed if there is an address. Throws `outbox-failed` when the event is not stored
 * in time, though it may be delivered.
 */
export async function acceptEvent(
	turn: TurnContext,
	received: Received,
	event: StoredEvent,
	runtime: Runtime,
): Promise<number | undefined> {
	if (!runtime.outbox) {
		const { status } = await callUpstream(turn.route.upstream, event.request, acceptanceLimits(turn), runtime)
		return status
	}
	await inTime(turn, runtime, runtime.outbox.accept([deliveryOf(turn, received, event)]))
	return undefined
}

/**
 * Resolves once an event is on stable storage whose reply is late: `calling`. From then on the reply is pushed. Throws
 * `outbox-failed` when the event is not stored in time, though its reply may be pushed.
 */
export async function storeLateEvent(
	turn: TurnContext,
	received: Received,
	event: StoredEvent,
	calling: Promise<WireResponse>,
	runtime: Runtime,
): Promise<void> {
	await inTime(turn, runtime, runtime.outbox?.accept([deliveryOf(turn, received, event, true)], calling))
}

function deliveryOf(
	{ turnId: id, receivedAt, route }: TurnContext,
	{ platform, conversation, address, picked }: Received,
	{ event, request }: StoredEvent,
	held?: true,
): EventDelivery {
	return {
		...{ id, route: route.name, platform: platform.name, receivedAt },
		...(conversation !== undefined && { conversation }),
		request,
		...(address !== undefined && { answer: { address, event, ...(picked && { picked }), ...(held && { held }) } }),
	}
}

async function inTime(
	{ answerBy }: TurnContext,
	{ elapsed }: Runtime,
	stored: Promise<void> | undefined,
): Promise<void> {
	if (!stored || (await withTimeout(answerBy - elapsed(), stored)) === timedOut) throw new GatewayError('outbox-failed')
}
