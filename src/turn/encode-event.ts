/** Writes the event of a turn in the format of the upstream. */
import { fitEvent } from '../fit/index.ts'
import type { WireRequest } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { describeTurn, fitContextOf, type Received, type TurnContext } from './context.ts'
import { recordChanges, type TurnRecord } from './log.ts'
import { containsSecret, redactEvent, redactPath } from './redact.ts'
import { createReplyUrl } from './reply-url.ts'
import { isLarge } from './stages.ts'
import { refuseLosses } from './strict.ts'

const findsNone = (): boolean => false

/**
 * The platform's event without secrets, the same as the upstream gets it, and that as a request. Throws
 * `event-does-not-fit`.
 */
export async function encodeEvent(
	turn: TurnContext,
	call: WireRequest,
	received: Received,
	record: TurnRecord,
	runtime: Runtime,
): Promise<{ readonly event: CanonicalEvent; readonly sent: CanonicalEvent; readonly encoded: WireRequest }> {
	const { route } = turn
	const { hasSecret } = route
	const { event: leg } = route.upstream.adapter
	const isWellFormed = isLarge(call) && !spellsCharacters(call)
	const context = { ...fitContextOf(turn, received.event), isWellFormed }
	const { value: sent, changes } = fitEvent(received.event, leg, context)
	recordChanges(record, changes)
	refuseLosses(route, 'event-does-not-fit', changes)
	if (isLarge(call)) await runtime.letOthersRun()
	// Looking at each part of the call costs more than looking at all of it at once, as is done here.
	const look = route.raw && (await containsSecret(call, hasSecret, runtime))
	const replyUrl = route.replyUrl && (await replyUrlOf(turn, received, record, runtime))
	const { changes: noted, moreChanges } = record
	const told = { changes: noted, moreChanges, replyUrl }
	const described = describeTurn(turn, call, received, told, look ? hasSecret : findsNone)
	if (isLarge(call)) await runtime.letOthersRun()
	const encoded = leg.encode(sent, described)
	if (isLarge(encoded)) await runtime.letOthersRun()
	if (!(await containsSecret(encoded, hasSecret, runtime))) return { event: received.event, sent, encoded }

	const redacted = redactEvent(received.event, hasSecret)
	recordChanges(record, redacted.changes)
	if (isLarge(encoded)) await runtime.letOthersRun()
	const fitted = fitEvent(redacted.event, leg, context).value
	if (isLarge(encoded)) await runtime.letOthersRun()
	const paths = record.changes.map((change) => ({ ...change, path: redactPath(change.path, hasSecret) }))
	const redescribed = describeTurn(turn, call, received, { ...record, changes: paths, replyUrl }, hasSecret)
	if (isLarge(encoded)) await runtime.letOthersRun()
	return { event: redacted.event, sent: fitted, encoded: leg.encode(fitted, redescribed) }
}

/** Whether characters of a call may be written as escapes. Nothing else makes a half surrogate pair: a call is valid UTF-8. */
function spellsCharacters({ query, body }: WireRequest): boolean {
	return isSpelled(body) || query.some(([, value]) => isSpelled(value))
}

function isSpelled(text: string): boolean {
	return text.includes('\\u') || text.includes('%')
}

/** A URL for replies in the conversation of an event. Undefined: the upstream is told none, or it would be too long. */
async function replyUrlOf(
	{ route }: TurnContext,
	{ platform, conversation, address }: Received,
	record: TurnRecord,
	runtime: Runtime,
): Promise<string | undefined> {
	const { publicUrl, replyUrl: settings, upstream } = route
	if (!settings || publicUrl === undefined || conversation === undefined) return undefined
	// Sealing takes time.
	if (!upstream.adapter.event.describesTurn) return undefined
	const recipient = {
		route: route.name,
		platform: platform.name,
		conversation,
		...(address !== undefined && { address }),
	}
	const url = await createReplyUrl(recipient, publicUrl, settings, runtime)
	if (url === undefined) record.notes.push('turn.replyUrl is missing: what it must hold of the call is too long')
	return url
}
