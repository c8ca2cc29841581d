/** Writes the event of a turn in the format of the upstream. */
import { fitEvent } from '../fit/index.ts'
import type { WireRequest } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { describeTurn, fitContextOf, type Received, type TurnContext } from './context.ts'
import { recordChanges, type TurnRecord } from './log.ts'
import { containsSecret, redactEvent, redactPath } from './redact.ts'
import { endStage } from './stages.ts'
import { refuseLosses } from './strict.ts'

/**
 * The platform's event without secrets, the same as the upstream gets it, and that as a request. Throws
 * `event-does-not-fit`.
 */
export async function encodeEvent(
	turn: TurnContext,
	received: Received,
	record: TurnRecord,
	runtime: Runtime,
): Promise<{ readonly event: CanonicalEvent; readonly sent: CanonicalEvent; readonly encoded: WireRequest }> {
	const { route, call } = turn
	const { hasSecret } = route
	const { event: leg } = route.upstream.adapter
	const context = fitContextOf(turn, received.event)
	const { value: sent, changes } = fitEvent(received.event, leg, context)
	recordChanges(record, changes)
	refuseLosses(route, 'event-does-not-fit', changes)
	await endStage(call, runtime)
	// Looking at each part of the call costs more than looking at all of it at once, as is done here.
	const look = route.raw && (await containsSecret(call, hasSecret, runtime))
	const described = describeTurn(turn, received, record, look ? hasSecret : () => false)
	await endStage(call, runtime)
	const encoded = leg.encode(sent, described)
	await endStage(encoded, runtime)
	if (!(await containsSecret(encoded, hasSecret, runtime))) return { event: received.event, sent, encoded }

	const redacted = redactEvent(received.event, hasSecret)
	recordChanges(record, redacted.changes)
	await endStage(encoded, runtime)
	const fitted = fitEvent(redacted.event, leg, context).value
	await endStage(encoded, runtime)
	const paths = record.changes.map((change) => ({ ...change, path: redactPath(change.path, hasSecret) }))
	const redescribed = describeTurn(turn, received, { ...record, changes: paths }, hasSecret)
	await endStage(encoded, runtime)
	return { event: redacted.event, sent: fitted, encoded: leg.encode(fitted, redescribed) }
}
