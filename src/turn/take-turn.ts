/** The data path of one turn, top to bottom: a platform's call in, the platform's answer out. */
import { asGatewayError } from '../errors.ts'
import { forgetJson, type NamedAdapter, type ReplyLeg, type WireRequest, type WireResponse } from '../format/index.ts'
import type { CanonicalEvent } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { type Admitted, type Answered, type Arrival, admit, recognise } from './admission.ts'
import { withChangesHeader } from './changes-header.ts'
import { recallChoice } from './choices.ts'
import { beginTurn, type Received, replyLimits, type TurnContext } from './context.ts'
import { decodeEvent } from './decode.ts'
import { encodeEvent } from './encode-event.ts'
import { type EncodedReply, encodeReply } from './encode-reply.ts'
import { failureAnswer } from './failure.ts'
import { type CallClaim, claimCall, type Offered, settleCall } from './idempotency.ts'
import { conversationKey } from './keys.ts'
import { destinationOf, holdingReply, keepLateReply, pushesLate } from './late-replies.ts'
import { createRecord, logTurn, recordChanges, recordUnread, type TurnRecord } from './log.ts'
import { markOf, withMarks } from './loop-detection.ts'
import { acceptEvent, acknowledgement, storeLateEvent } from './one-way.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { pushAddress } from './push.ts'
import { redactError } from './redact.ts'
import { isLarge, parseAhead } from './stages.ts'
import { legForUpstream, readUpstreamReply } from './upstream-reply.ts'

/**
 * Takes one turn, in these stages. What one of them throws becomes the route's failure reply or the platform's own
 * failure shape. One log line a turn. An async function keeps its parameters in memory for as long as it waits. So none
 * that waits for the upstream takes the call, and this one ends before the upstream is called.
 */
export async function takeTurn(route: PreparedRoute, arrival: Arrival, runtime: Runtime): Promise<Answered> {
	const admission = await admit(route, arrival, runtime)
	if ('answer' in admission) return admission
	const turn = beginTurn(route, admission.call, arrival.at, runtime)
	const record = createRecord(route.hasSecret)
	const progress: Progress = { platform: route.platforms[0], claim: {} }
	const receiving = receive(turn, admission, record, progress, runtime)
	return answerTurn(turn, receiving, record, progress, runtime)
}

/** How far a turn has come: what its end needs, whichever stage was the last. */
interface Progress {
	platform: NamedAdapter
	received?: Received
	claim: CallClaim
}

/** From the call to the request for the upstream; or to the answer that the same call got before. */
async function receive(
	turn: TurnContext,
	{ call, marks }: Admitted,
	record: TurnRecord,
	progress: Progress,
	runtime: Runtime,
): Promise<Outgoing | Answered> {
	const { route, observed } = turn
	if (isLarge(call)) await parseAhead(call, runtime)
	const platform = recognise(route, call)
	progress.platform = platform
	const { model, unread, notes = [] } = decodeEvent(platform.adapter, call)
	recordUnread(record, 'event', unread)
	record.notes.push(...notes)
	observed?.model('event', model)
	if (isLarge(call)) await runtime.letOthersRun()

	const conversation = await conversationKey(route, model, runtime.crypto)
	const address = pushAddress(platform, call, model, conversation, runtime)
	let received: Received = { platform, event: model, conversation, leg: platform.adapter.reply(model), address }
	progress.received = received

	const claim = await claimCall(turn, call, received, runtime)
	progress.claim = claim
	if (isLarge(call)) await runtime.letOthersRun()
	record.duplicate = claim.answer !== undefined
	if (claim.answer) return { answer: claim.answer }
	if (claim.open) received = recallChoice(received, claim.open)
	progress.received = received
	if (received.event !== model) observed?.model('recalled-event', received.event)

	const { encoded, sent, event } = await encodeEvent(turn, call, received, record, runtime)
	observed?.model('fitted-event', sent)
	forgetJson(call)
	if (isLarge(encoded)) await runtime.letOthersRun()
	const request = withMarks(encoded, marks, await markOf(route, runtime.crypto))
	observed?.wire('request', request)
	return { received, event, sent, request }
}

/** An event on its way to the upstream. */
interface Outgoing {
	readonly received: Received
	/** The platform's event, without secrets. */
	readonly event: CanonicalEvent
	/** The same event, as the upstream gets it. */
	readonly sent: CanonicalEvent
	readonly request: WireRequest
}

/** From the request to the platform's answer, which is stored for the same call, and logged. */
async function answerTurn(
	turn: TurnContext,
	receiving: Promise<Outgoing | Answered>,
	record: TurnRecord,
	progress: Progress,
	runtime: Runtime,
): Promise<Answered> {
	const { route, observed } = turn
	let answer: WireResponse
	let offered: Offered | undefined
	try {
		const outgoing = await receiving
		if ('answer' in outgoing) answer = outgoing.answer
		else {
			const exchanged = await exchange(turn, outgoing, record, runtime)
			answer = withChangesHeader(turn, record, exchanged.answer)
			offered = exchanged.offered
		}
	} catch (thrown) {
		record.error = redactError(asGatewayError(thrown), route.hasSecret)
		answer = withChangesHeader(turn, record, failureAnswer(turn, progress, record.error))
	}
	const { platform, received, claim } = progress
	record.choicesForgotten = !(await settleCall(claim, record.error ? undefined : answer, offered, runtime.state))
	observed?.wire('answer', answer)
	logTurn(turn, record, platform, received, answer.status, runtime)
	return { answer }
}

/** There and back: the request to the upstream, its reply to the platform. Not async: that would be one more frame that waits. */
function exchange(turn: TurnContext, outgoing: Outgoing, record: TurnRecord, runtime: Runtime): Promise<EncodedReply> {
	const { received, request } = outgoing
	const { route } = turn
	const { leg } = received
	if (!leg) return accept(turn, outgoing, record, runtime)
	const calling = callUpstream(route.upstream, request, replyLimits(turn), runtime)
	const answer = (response: WireResponse) => reply(turn, outgoing, leg, response, record, runtime)
	if (!route.holding) return calling.then(answer)
	return withTimeout(turn.holdAt - runtime.elapsed(), calling).then((response) =>
		response === timedOut ? hold(turn, outgoing, leg, calling, record, runtime) : answer(response),
	)
}

/** An event whose answer the platform does not read: the upstream's status decides, and its reply is looked at only to be pushed. */
async function accept(
	turn: TurnContext,
	outgoing: Outgoing,
	record: TurnRecord,
	runtime: Runtime,
): Promise<EncodedReply> {
	record.upstreamStatus = await acceptEvent(turn, outgoing.received, outgoing, runtime)
	return { answer: acknowledgement }
}

/** From the response of the upstream to the answer. */
async function reply(
	turn: TurnContext,
	{ received, sent }: Outgoing,
	leg: ReplyLeg,
	response: WireResponse,
	record: TurnRecord,
	runtime: Runtime,
): Promise<EncodedReply> {
	const { route, observed } = turn
	const { platform, event } = received
	record.upstreamStatus = response.status
	observed?.wire('response', response)
	if (isLarge(response)) await parseAhead(response, runtime)
	const answering = { upstream: route.upstream, platform, leg, received: event, sent }
	const read = readUpstreamReply(response, answering)
	forgetJson(response)
	recordUnread(record, 'reply', read.unread)
	if (response.body.trim() === '') record.notes.push('the answer of the upstream is empty')
	recordChanges(record, read.changes)
	if (isLarge(response)) await runtime.letOthersRun()
	const decoded = { reply: read.reply, lost: read.changes, isLarge: isLarge(response) }
	return encodeReply(turn, received, legForUpstream(leg, answering), decoded, record, runtime)
}

/** The holding reply as the answer. The upstream's own is pushed when it comes, or kept for the next turn. */
async function hold(
	turn: TurnContext,
	outgoing: Outgoing,
	leg: ReplyLeg,
	calling: Promise<WireResponse>,
	record: TurnRecord,
	runtime: Runtime,
): Promise<EncodedReply> {
	const { route } = turn
	const { received, sent } = outgoing
	const { platform, event } = received
	record.held = true
	if (pushesLate(received, route)) await storeLateEvent(turn, received, outgoing, calling, runtime)
	else {
		const answering = { upstream: route.upstream, platform, leg, received: event, sent }
		const late = calling.then((response) => readUpstreamReply(response, answering).reply)
		keepLateReply(turn, destinationOf(turn, received, leg), late, runtime)
	}
	const held = { reply: holdingReply(route, event.language), lost: [], isLarge: false }
	return encodeReply(turn, received, leg, held, record, runtime)
}
