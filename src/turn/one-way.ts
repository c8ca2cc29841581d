/** Events whose answer the platform does not read: they leave the data path before the upstream's reply. */
import { GatewayError } from '../errors.ts'
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { acceptanceLimits, type Received, type TurnContext } from './context.ts'

/** The answer that the platform does not read. */
export const acknowledgement: WireResponse = { status: 200, headers: [], body: '' }

/**
 * Accepts an event: with an outbox, resolves once it is on stable storage; without one, once the upstream took it, with
 * the upstream's status. Throws `outbox-failed` when the event is not stored in time, though it may be delivered.
 */
export async function acceptEvent(
	turn: TurnContext,
	{ platform, conversation }: Received,
	request: WireRequest,
	runtime: Runtime,
): Promise<number | undefined> {
	const { turnId: id, receivedAt, route, answerBy } = turn
	if (!runtime.outbox) {
		const { status } = await callUpstream(route.upstream, request, acceptanceLimits(turn), runtime)
		return status
	}
	const stored = runtime.outbox.accept({
		id,
		route: route.name,
		platform: platform.name,
		receivedAt,
		...(conversation !== undefined && { conversation }),
		request,
	})
	if ((await withTimeout(answerBy - runtime.elapsed(), stored)) === timedOut) throw new GatewayError('outbox-failed')
	return undefined
}
