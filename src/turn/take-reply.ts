/** The data path of a reply that the backend sends by itself, top to bottom: a POST to a reply URL in, a push accepted. */
import { asGatewayError, GatewayError } from '../errors.ts'
import { type Json, jsonResponse, type NamedAdapter, problemResponse, type WireResponse } from '../format/index.ts'
import { rfc3339 } from '../rfc3339.ts'
import { plainestReply } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import type { Answered, CallHead, UnreadBody } from './admission.ts'
import { decodePostedReply } from './decode.ts'
import { type CallClaim, claimReply, settleCall } from './idempotency.ts'
import { createRecord, logReply, recordChanges, recordUnread, type TurnRecord } from './log.ts'
import { type Observation, observeReply } from './observation.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { acceptPush } from './push.ts'
import { redactError } from './redact.ts'
import { openReplyUrl, type Recipient } from './reply-url.ts'
import { isLarge } from './stages.ts'

/** A call to a reply URL as the runtime handed it over. */
export interface PostedReply {
	/** The call without its body. */
	readonly head: CallHead
	/** The sealed part of its URL. */
	readonly token: string
	readonly body: UnreadBody
	/** When it was handed over, as `Runtime.elapsed`. */
	readonly at: number
}

/** The routes that replies can be sent to, and what opens their URLs. */
export interface ReplyRoutes {
	readonly replyKeys: readonly Uint8Array<ArrayBuffer>[]
	/** The route of exactly this name. */
	named(name: string): PreparedRoute | undefined
}

/** Where a reply goes. */
interface Destination {
	readonly route: PreparedRoute
	readonly platform: NamedAdapter
	readonly conversation: string
	/** Undefined: the call for which the URL was made did not say. */
	readonly address: Json | undefined
	/** Minted for this reply. */
	readonly id: string
	/** RFC 3339. */
	readonly receivedAt: string
}

/** Milliseconds for the outbox to store a reply. */
const acceptLimit = 10_000

/**
 * Takes a reply, in these stages. Whatever is wrong with its URL, the answer is the same `reply-url-invalid`, and nothing
 * of the body is looked at. After that, one log line a reply.
 */
export async function takeReply(routes: ReplyRoutes, posted: PostedReply, runtime: Runtime): Promise<Answered> {
	const opened = posted.head.method === 'POST' ? await openReplyUrl(posted.token, routes.replyKeys, runtime) : undefined
	const to = opened && destinationOf(opened, routes, runtime)
	if (!to) {
		await posted.body.drop()
		const refusal = new GatewayError('reply-url-invalid')
		return { answer: problemResponse(refusal), refusal }
	}

	const observed = runtime.observer?.postedReply && observeReply(to, posted.head, posted.at, runtime)
	const record = createRecord(to.route.hasSecret)
	let claim: CallClaim = {}
	let answer: WireResponse
	try {
		const call = { status: 200, headers: posted.head.headers, body: await posted.body.read(true) }
		if (isLarge(call)) await runtime.letOthersRun()
		claim = await claimReply(to.conversation, call, runtime)
		record.duplicate = claim.answer !== undefined
		observed?.wire('call', { ...posted.head, body: call.body })
		answer = claim.answer ?? (await push(to, call, record, observed, runtime))
	} catch (thrown) {
		record.error = redactError(asGatewayError(thrown), to.route.hasSecret)
		answer = problemResponse(record.error, to.id)
	}
	await settleCall(claim, record.error ? undefined : answer, undefined, runtime.state)
	observed?.wire('answer', answer)
	logReply(to, record, answer.status, runtime.elapsed() - posted.at, observed, runtime)
	return { answer }
}

/** Undefined: the route or its platform is gone, or the route gives out no such URLs any more. */
function destinationOf(
	{ route: name, platform: platformName, conversation, address }: Recipient,
	routes: ReplyRoutes,
	runtime: Runtime,
): Destination | undefined {
	const route = routes.named(name)
	const platform = route?.platforms.find((each) => each.name === platformName)
	if (!route?.replyUrl || !platform || !route.upstream.adapter.event.describesTurn) return undefined
	const receivedAt = rfc3339(runtime.now())
	return { route, platform, conversation, address, id: runtime.newId(), receivedAt }
}

/** Accepts a reply to be pushed. The answer names it, and what the platform will not show. */
async function push(
	{ address, ...to }: Destination,
	call: WireResponse,
	record: TurnRecord,
	observed: Observation | undefined,
	runtime: Runtime,
): Promise<WireResponse> {
	// The upstream speaks our own format, for it is told of turns: so does the reply.
	const leg = plainestReply(to.route.upstream.adapter)
	if (!leg || !to.platform.adapter.push || address === undefined || !runtime.outbox)
		throw new GatewayError('push-not-supported')
	const { model: reply, unread } = decodePostedReply(leg, call)
	recordUnread(record, 'reply', unread)
	observed?.model('reply', reply)
	if (isLarge(call)) await runtime.letOthersRun()
	const accepting = acceptPush({ ...to, address }, reply, runtime).catch(asPosted)
	const accepted = await withTimeout(acceptLimit, accepting)
	if (accepted === timedOut) throw new GatewayError('outbox-failed')
	recordChanges(record, accepted)
	const { changes, moreChanges } = record
	return jsonResponse({ id: to.id, changes, ...(moreChanges > 0 && { moreChanges }) }, 202)
}

/** Of a reply that was posted, the backend is told: it is not the upstream that failed. */
function asPosted(thrown: unknown): never {
	const { code, context } = asGatewayError(thrown)
	throw code === 'reply-does-not-fit' ? new GatewayError('posted-reply-does-not-fit', context) : thrown
}
