/** The data path of one turn, top to bottom: a platform's call in, the platform's answer out. */
import { asGatewayError, GatewayError } from '../errors.ts'
import { fitEvent, fitReply } from '../fit/index.ts'
import type { Decoded, NamedAdapter, ReplyLeg, WireRequest, WireResponse } from '../format/index.ts'
import { type CanonicalEvent, type CanonicalReply, type Change, emptyReply } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { Outbox, Runtime } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { callUpstream } from '../upstream/index.ts'
import { withChangesHeader } from './changes-header.ts'
import { resolveChoice } from './choices.ts'
import { beginTurn, deliveryOf, describeTurn, recordChanges, type TurnContext } from './context.ts'
import { failureAnswer } from './failure.ts'
import { deduplicate } from './idempotency.ts'
import { type Fits, prependLateReplies, storeLateReply } from './late-replies.ts'
import { pickByLanguage } from './localized-reply.ts'
import { logTurn } from './log.ts'
import { refuseLoop, withMark } from './loop-detection.ts'

/** A platform's call as the runtime handed it over. */
export interface Arrival {
	readonly call: WireRequest
	/** The path segment behind the route's path, where the secret of a platform without `auth` stands. */
	readonly pathSecret?: string | undefined
	/** When it was handed over, as `Runtime.elapsed` tells it. */
	readonly at: number
	/** Why the body was not read. Only a call that proves its origin is told. */
	readonly refusal?: GatewayError | undefined
}

/**
 * Takes one turn. Throws `not-found` for a call that does not prove its origin, `method-not-allowed`, `loop-detected`,
 * and the arrival's refusal; every other failure becomes the route's failure reply or the platform's own failure shape.
 * One log line a turn.
 */
export async function takeTurn(route: Route, arrival: Arrival, runtime: Runtime): Promise<WireResponse> {
	if (!(await provesOrigin(route, arrival, runtime))) throw new GatewayError('not-found')
	const allowed = [...new Set(route.platforms.flatMap(({ adapter }) => adapter.methods))]
	if (!allowed.includes(arrival.call.method)) throw new GatewayError('method-not-allowed', { allowed })
	if (arrival.refusal) throw arrival.refusal
	const setUp = answerSetUp(route, arrival.call)
	if (setUp) return setUp
	await refuseLoop(arrival.call, route, runtime.crypto)

	const turn = beginTurn(route, arrival.at, runtime)
	let answer: WireResponse
	try {
		answer = await converse(turn, arrival.call, runtime)
	} catch (thrown) {
		turn.error = asGatewayError(thrown)
		answer = withChangesHeader(turn, failureAnswer(turn, turn.error))
	}
	logTurn(turn, answer.status, runtime)
	return answer
}

/** The turn itself: whatever is thrown here becomes the platform's failure. */
async function converse(turn: TurnContext, call: WireRequest, runtime: Runtime): Promise<WireResponse> {
	turn.platform = recognise(turn.route, call)
	const decoded = keepUnread(turn, 'event', turn.platform.adapter.event.decode(call))
	const event = await recallChoice(turn, decoded, runtime)
	turn.event = event
	return deduplicate(turn, call, runtime, async () => withChangesHeader(turn, await relay(turn, event, call, runtime)))
}

/** There and back: the event to the upstream, its reply to the platform. */
async function relay(
	turn: TurnContext,
	event: CanonicalEvent,
	call: WireRequest,
	runtime: Runtime,
): Promise<WireResponse> {
	const { upstream, holding } = turn.route
	const sent = fitEvent(event, upstream.adapter.event, turn)
	admit(turn, 'event-does-not-fit', sent.changes)
	const encoded = upstream.adapter.event.encode(sent.value, describeTurn(turn, event, call))
	const request = await withMark(encoded, call, turn.route, runtime.crypto)

	const leg = turn.platform.adapter.reply(event)
	if (!leg && runtime.outbox) {
		await store(turn, request, runtime.outbox, runtime)
		return accepted
	}
	const until = leg && holding ? turn.lateUntil : turn.upstreamUntil
	const asked = ask(turn, sent.value, request, until, runtime)
	if (!leg) {
		await asked
		return accepted
	}
	if (!holding) return say(turn, leg, await asked, runtime)

	const reply = await withTimeout(turn.holdAt - runtime.elapsed(), asked)
	if (reply !== timedOut) return say(turn, leg, reply, runtime)
	turn.held = true
	runtime.background(storeLateReply(turn, asked, holding.answer, fitsOn(turn, leg), runtime))
	return say(turn, leg, pickByLanguage(holding.reply, event.language) ?? emptyReply, runtime)
}

/** Puts the event on stable storage; an event that is not there in time is not accepted, though it may be delivered. */
async function store(turn: TurnContext, request: WireRequest, outbox: Outbox, { elapsed }: Runtime): Promise<void> {
	const stored = outbox.accept(deliveryOf(turn, request))
	if ((await withTimeout(turn.answerBy - elapsed(), stored)) === timedOut) throw new GatewayError('outbox-failed')
}

async function ask(
	turn: TurnContext,
	event: CanonicalEvent,
	request: WireRequest,
	until: number,
	runtime: Runtime,
): Promise<CanonicalReply> {
	const { upstream, idempotent } = turn.route
	const repeat = idempotent ? 'unanswered' : 'unsent'
	const response = await callUpstream(upstream, request, { id: turn.turnId, until, repeat }, runtime)
	turn.upstreamStatus = response.status
	return keepUnread(turn, 'reply', decodeReply(upstream, event, response))
}

/** The reply as the platform takes it, behind those of this conversation that came too late. */
async function say(turn: TurnContext, leg: ReplyLeg, reply: CanonicalReply, runtime: Runtime): Promise<WireResponse> {
	const fitted = fitReply(await prependLateReplies(turn, reply, fitsOn(turn, leg), runtime), leg, turn)
	admit(turn, 'reply-does-not-fit', fitted.changes)
	if (turn.conversation !== undefined) await runtime.state.addReply(turn.conversation, fitted.offers)
	return leg.encode(fitted.value)
}

/** To a platform that reads no answer. */
const accepted: WireResponse = { status: 200, headers: [], body: '' }

async function provesOrigin(route: Route, { call, pathSecret }: Arrival, { crypto }: Runtime): Promise<boolean> {
	const { auth } = route.platforms[0].adapter
	if (route.secrets.length === 0) return pathSecret === undefined
	// The path is compared on every route, so that the time tells nothing of how a route is guarded.
	const held = await Promise.all(route.secrets.map((secret) => crypto.equal(pathSecret ?? '', secret)))
	if (!auth) return held.includes(true)
	return (await auth.verify(call, route.secrets, crypto)) && pathSecret === undefined
}

function answerSetUp(route: Route, call: WireRequest): WireResponse | undefined {
	for (const { adapter } of route.platforms) {
		const answer = adapter.challenge?.(call)
		if (answer) return answer
	}
	return undefined
}

function recognise(route: Route, call: WireRequest): NamedAdapter {
	const [first, ...others] = route.platforms
	if (others.length === 0) return first
	const platform = route.platforms.find(({ adapter }) => adapter.recognises?.(call))
	if (platform) return platform
	// Where they all find the same fault, it is the call's, and better told than that none of them knows it.
	const faults = route.platforms.map(({ adapter }) => faultOf(() => adapter.event.decode(call)))
	const [fault] = faults
	if (fault && faults.every((each) => each?.code === fault.code)) throw fault
	throw new GatewayError('format-not-recognised')
}

function faultOf(decode: () => unknown): GatewayError | undefined {
	try {
		decode()
		return undefined
	} catch (thrown) {
		return asGatewayError(thrown)
	}
}

function keepUnread<Model>(turn: TurnContext, feature: 'event' | 'reply', { model, unread }: Decoded<Model>): Model {
	recordChanges(
		turn,
		unread.map((path): Change => ({ path, feature, did: 'dropped', detail: 'unread' })),
	)
	return model
}

/** A label, a value or a number that comes back, as the choice it stood for in this conversation. */
async function recallChoice(turn: TurnContext, event: CanonicalEvent, { state }: Runtime): Promise<CanonicalEvent> {
	if (event.conversation === undefined) return event
	// Conversation ids are the platform's, and two routes may be of two of its accounts.
	turn.conversation = `${turn.route.name} ${event.conversation}`
	turn.remembers = true
	return resolveChoice(event, await state.openChoices(turn.conversation))
}

/** Changes that a refusal names. */
const maxRefused = 20

/** Keeps the changes in the turn's record, and refuses them where the route is strict. */
function admit(turn: TurnContext, code: 'event-does-not-fit' | 'reply-does-not-fit', changes: readonly Change[]): void {
	recordChanges(turn, changes)
	const refused = turn.route.policy === 'strict' ? changes.filter(alters) : []
	if (refused.length > 0)
		throw new GatewayError(code, {
			changes: refused.slice(0, maxRefused).map(({ did, path }) => `${did} ${path}`),
		})
}

// What was added takes nothing from what the author said.
function alters({ did }: Change): boolean {
	return did !== 'added'
}

/** Tells whether `admit` would let a reply pass. */
function fitsOn(turn: TurnContext, leg: ReplyLeg): Fits {
	if (turn.route.policy !== 'strict') return () => true
	return (reply, lost) => ![...lost, ...fitReply(reply, leg, turn).changes].some(alters)
}

function decodeReply(
	{ adapter }: NamedAdapter,
	event: CanonicalEvent,
	response: WireResponse,
): Decoded<CanonicalReply> {
	const leg = adapter.reply(event)
	if (!leg) return { model: emptyReply, unread: [] }
	try {
		return leg.decode(response)
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { code, context } = thrown
		throw new GatewayError('upstream-reply-invalid', { ...context, because: code }, { cause: thrown })
	}
}
