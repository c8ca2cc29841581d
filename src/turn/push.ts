/** Replies that are pushed: from a reply to the calls of the platform's API, which the outbox makes. */
import { GatewayError } from '../errors.ts'
import { fitReply, type Offer } from '../fit/index.ts'
import type { Json, NamedAdapter, PushTarget, WireRequest, WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { CanonicalEvent, CanonicalReply, Change } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { EventDelivery, PickedSet, PushDelivery, PushedAnswer, Runtime } from '../runtime.ts'
import { pickByLanguage } from './localized-reply.ts'
import { isLoss, lossesFirst } from './losses.ts'
import { createPathNamer } from './path-namer.ts'
import { prepareRoute } from './prepared-route.ts'
import { isLarge } from './stages.ts'
import { refuseLosses } from './strict.ts'
import { readUpstreamReply } from './upstream-reply.ts'

/** Where a reply is pushed, and what began it. */
interface PushDestination {
	readonly route: Route
	readonly platform: NamedAdapter
	/** As in `Push`. */
	readonly address: Json
	/** The key of the conversation: its pushes are made in order, and behind its events. */
	readonly conversation: string | undefined
	/** The turn's id, or that of a push that no turn began. The id of each call is made from it. */
	readonly id: string
	/** RFC 3339: when the platform's call came, or what else began the push. */
	readonly receivedAt: string
	/** The format that the reply was decoded from. Absent: the gateway's own. */
	readonly decodedFrom?: string
	/** The set of choices that the reply answers a pick from. */
	readonly picked?: PickedSet | undefined
}

/** A reply as calls, what it lost, and what it offers. */
interface PlannedPush {
	readonly deliveries: readonly PushDelivery[]
	readonly changes: readonly Change[]
	readonly offers: readonly Offer[]
}

/** The target of an address. Throws `push-refused` where the platform can be pushed to no more, and what the adapter throws. */
export function pushTarget({ adapter }: NamedAdapter, address: Json): PushTarget {
	if (!adapter.push) throw new GatewayError('push-refused')
	return adapter.push.target(address)
}

/**
 * A reply as the calls that push it. `lost` is what it has lost already. Throws `reply-does-not-fit` on a strict route, or
 * if it takes too many calls, and what `pushTarget` throws.
 */
function planPush(to: PushDestination, reply: CanonicalReply, lost: readonly Change[] = []): PlannedPush {
	const { route, platform, address, conversation, id, receivedAt, decodedFrom } = to
	const { leg: anyLeg } = pushTarget(platform, address)
	const leg = decodedFrom === platform.name ? (anyLeg.sameFormat ?? anyLeg) : anyLeg
	const remembers = conversation !== undefined
	const { value, changes, offers } = fitReply(reply, leg, { turnId: id, receivedAt, decodedFrom, remembers })
	const all = [...lost, ...changes]
	refuseLosses(route, 'reply-does-not-fit', all)
	const calls = leg.encode(value)
	const limit = limits.pushCalls.value
	if (calls.length > limit) throw new GatewayError('reply-does-not-fit', { limit })
	const common = { route: route.name, platform: platform.name, receivedAt, ...(remembers && { conversation }), address }
	const deliveries = calls.map((call, i): PushDelivery => ({ id: `${id}-${i + 1}`, ...common, call }))
	return { deliveries, changes: all, offers }
}

/**
 * Accepts a reply to be pushed: resolves once its calls are on stable storage, with what it lost. Throws what `planPush`
 * and the outbox throw, and `outbox-failed` if there is none.
 */
export async function acceptPush(
	to: PushDestination,
	reply: CanonicalReply,
	{ outbox, state }: Pick<Runtime, 'outbox' | 'state'>,
): Promise<readonly Change[]> {
	const planned = planPush(to, reply)
	const [first, ...others] = planned.deliveries
	if (!outbox) throw new GatewayError('outbox-failed')
	if (first) await outbox.accept([first, ...others])
	await rememberOffers(to, planned, state)
	return planned.changes
}

/** Where the pushes of a call's conversation go, as in `Push`. Undefined: nowhere, or there is nothing to store them in. */
export function pushAddress(
	{ adapter: { push } }: NamedAdapter,
	call: WireRequest,
	event: CanonicalEvent,
	conversation: string | undefined,
	{ outbox }: Pick<Runtime, 'outbox'>,
): Json | undefined {
	return push && outbox && conversation !== undefined ? push.address(call, event) : undefined
}

/** Stores what a pushed reply offers, for when the user picks. */
async function rememberOffers(
	{ conversation, id, picked }: PushDestination,
	{ offers }: PlannedPush,
	state: Runtime['state'],
): Promise<void> {
	if (conversation !== undefined) await state.settle(conversation, { reply: { turnId: id, offers }, picked })
}

/** An event whose reply is pushed. */
export type PushedEvent = EventDelivery & { readonly answer: PushedAnswer }

/**
 * The answer of the upstream to an event, as the calls that push it. What it offers is remembered. Throws what reading it
 * and `planPush` throw.
 */
export async function planAnswer(
	event: PushedEvent,
	route: Route,
	response: WireResponse,
	runtime: Runtime,
): Promise<PlannedPush> {
	const { upstream } = route
	const to = destinationOf(event, route)
	const { leg } = pushTarget(to.platform, to.address)
	// What was encoded is decoded as it was.
	const { model: sent } = upstream.adapter.event.decode(event.request)
	if (isLarge(response)) await runtime.letOthersRun()
	const answering = { upstream, platform: to.platform, leg, received: event.answer.event, sent }
	const { reply, unread, changes } = readUpstreamReply(response, answering)
	if (isLarge(response)) await runtime.letOthersRun()
	const ignored = unread.map((path): Change => ({ path, feature: 'reply', did: 'dropped', detail: 'ignored' }))
	const planned = planPush({ ...to, decodedFrom: upstream.name }, reply, changes)
	await rememberOffers(to, planned, runtime.state)
	return { ...planned, changes: [...ignored, ...planned.changes] }
}

/** The route's words for a turn that failed, as the calls that push them; none if it has no words, or they cannot be pushed. */
export function planFailure(event: PushedEvent, route: Route): readonly PushDelivery[] {
	const reply = pickByLanguage(route.failure, event.answer.event.language)
	try {
		return reply ? planPush(destinationOf(event, route), reply).deliveries : []
	} catch {
		return []
	}
}

/** Throws `push-refused` if the route does not have the platform any more. */
function destinationOf(event: PushedEvent, route: Route): PushDestination {
	const platform = route.platforms.find(({ name }) => name === event.platform)
	if (!platform) throw new GatewayError('push-refused')
	const { id, receivedAt, conversation, answer } = event
	return { route, platform, address: answer.address, conversation, id, receivedAt, picked: answer.picked }
}

/** Changes that a line of the log names. */
const maxNamed = 20

/** The losses among changes as a line of the log names them. Undefined: there are none. */
export function namesOfLosses(route: Route, changes: readonly Change[]): string[] | undefined {
	const losses = lossesFirst(changes.filter(isLoss)).slice(0, maxNamed)
	if (losses.length === 0) return undefined
	const nameOf = createPathNamer(prepareRoute(route).hasSecret)
	return losses.map(({ did, path }) => `${did} ${nameOf(path)}`)
}
