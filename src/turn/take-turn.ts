/** The data path of one turn, top to bottom: a platform's call in, the platform's answer out. */
import { asGatewayError } from '../errors.ts'
import { fitReply } from '../fit/index.ts'
import { forgetJson, type NamedAdapter, type WireResponse } from '../format/index.ts'
import type { CanonicalReply, Change } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { type Answered, type Arrival, admit, recognise } from './admission.ts'
import { withChangesHeader } from './changes-header.ts'
import { recallChoice } from './choices.ts'
import { beginTurn, fitContextOf, type Received, replyLimits, type TurnContext } from './context.ts'
import { decodeEvent } from './decode.ts'
import { encodeEvent } from './encode-event.ts'
import { failureAnswer } from './failure.ts'
import { type CallClaim, claimCall, type Offered, settleCall } from './idempotency.ts'
import { conversationKey } from './keys.ts'
import { type Destination, holdingReply, keepLateReply, prependLateReplies, pushesLate } from './late-replies.ts'
import { createRecord, logTurn, recordChanges, recordUnread, type TurnRecord } from './log.ts'
import { markOf, withMarks } from './loop-detection.ts'
import { acceptEvent, acknowledgement, storeLateEvent } from './one-way.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { pushAddress } from './push.ts'
import { redactError } from './redact.ts'
import { isLarge, parseAhead } from './stages.ts'
import { refuseLosses } from './strict.ts'
import { type Answering, legForUpstream, readUpstreamReply } from './upstream-reply.ts'

/**
 * Takes one turn, in these stages. What one of them throws becomes the route's failure reply or the platform's own
 * failure shape. One log line a turn.
 */
export async function takeTurn(route: PreparedRoute, arrival: Arrival, runtime: Runtime): Promise<Answered> {
	const admission = await admit(route, arrival, runtime)
	if ('answer' in admission) return admission

	const turn = beginTurn(route, admission, arrival.at, runtime)
	const { observed } = turn
	const record = createRecord(route.hasSecret)
	let platform: NamedAdapter = route.platforms[0]
	let received: Received | undefined
	let claim: CallClaim = {}
	let answer: WireResponse
	let offered: Offered | undefined
	try {
		if (isLarge(turn.call)) await parseAhead(turn.call, runtime)
		platform = recognise(route, turn.call)
		const { model, unread, notes = [] } = decodeEvent(platform.adapter, turn.call)
		recordUnread(record, 'event', unread)
		record.notes.push(...notes)
		observed?.model('event', model)
		if (isLarge(turn.call)) await runtime.letOthersRun()

		const conversation = await conversationKey(route, model, runtime.crypto)
		const address = pushAddress(platform, turn.call, model, conversation, runtime)
		received = { platform, event: model, conversation, leg: platform.adapter.reply(model), address }

		claim = await claimCall(turn, received, runtime)
		if (isLarge(turn.call)) await runtime.letOthersRun()
		record.duplicate = claim.answer !== undefined
		if (claim.answer) answer = claim.answer
		else {
			if (claim.open) received = recallChoice(received, claim.open)
			if (received.event !== model) observed?.model('recalled-event', received.event)
			const exchanged = await exchange(turn, received, record, runtime)
			answer = withChangesHeader(turn, record, exchanged.answer)
			offered = exchanged.offered
		}
	} catch (thrown) {
		record.error = redactError(asGatewayError(thrown), route.hasSecret)
		answer = withChangesHeader(turn, record, failureAnswer(turn, platform, received, record.error))
	}
	record.choicesForgotten = !(await settleCall(claim, record.error ? undefined : answer, offered, runtime.state))
	observed?.wire('answer', answer)
	logTurn(turn, record, platform, received, answer.status, runtime)
	return { answer }
}

/** There and back: the event to the upstream, its reply to the platform. */
async function exchange(
	turn: TurnContext,
	received: Received,
	record: TurnRecord,
	runtime: Runtime,
): Promise<{ readonly answer: WireResponse; readonly offered?: Offered }> {
	const { route, observed } = turn
	const { upstream } = route
	const { platform, event, conversation, picked, leg } = received
	const context = fitContextOf(turn, event)

	const { encoded, sent, event: shown } = await encodeEvent(turn, received, record, runtime)
	observed?.model('fitted-event', sent)
	forgetJson(turn.call)
	if (isLarge(encoded)) await runtime.letOthersRun()
	const request = withMarks(encoded, turn.marks, await markOf(route, runtime.crypto))
	observed?.wire('request', request)

	// Where no answer is read, the upstream's status decides, and its reply is not looked at, unless it can be pushed.
	if (!leg) {
		record.upstreamStatus = await acceptEvent(turn, received, { event: shown, request }, runtime)
		return { answer: acknowledgement }
	}

	const calling = callUpstream(upstream, request, replyLimits(turn), runtime)
	const response = route.holding ? await withTimeout(turn.holdAt - runtime.elapsed(), calling) : await calling

	const answering: Answering = { upstream, platform, leg, received: event, sent }
	const isLate = response === timedOut
	const to: Destination = { route, conversation, leg: isLate ? leg : legForUpstream(leg, answering), context }
	let reply: CanonicalReply
	let lost: readonly Change[] = []
	if (isLate) {
		record.held = true
		if (pushesLate(received, route)) await storeLateEvent(turn, received, { event: shown, request }, calling, runtime)
		else
			keepLateReply(
				turn,
				to,
				calling.then((response) => readUpstreamReply(response, answering).reply),
				runtime,
			)
		reply = holdingReply(route, event.language)
	} else {
		record.upstreamStatus = response.status
		observed?.wire('response', response)
		if (isLarge(response)) await parseAhead(response, runtime)
		const read = readUpstreamReply(response, answering)
		forgetJson(response)
		recordUnread(record, 'reply', read.unread)
		if (response.body.trim() === '') record.notes.push('the answer of the upstream is empty')
		recordChanges(record, read.changes)
		reply = read.reply
		lost = read.changes
		if (isLarge(response)) await runtime.letOthersRun()
	}

	const joined = await prependLateReplies(reply, to, runtime)
	record.recalled = joined.recalled
	observed?.model('reply', joined.reply)
	recordChanges(record, joined.lost)
	const fitted = fitReply(joined.reply, to.leg, context)
	observed?.model('fitted-reply', fitted.value)
	recordChanges(record, fitted.changes)
	refuseLosses(route, 'reply-does-not-fit', lost.concat(fitted.changes))
	if (joined.recalled > 0 || (!isLate && isLarge(response))) await runtime.letOthersRun()
	const answer = to.leg.encode(fitted.value)
	if (conversation === undefined) return { answer }
	return { answer, offered: { conversation, reply: { turnId: turn.turnId, offers: fitted.offers }, picked } }
}
