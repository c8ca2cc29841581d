/** Previews a reply, or an event, in one format: what becomes of it, without any call. */
import { type FitContext, fitEvent, fitReply } from '../fit/index.ts'
import type { Adapter, PushCall, PushLeg, ReplyLeg, WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Change } from '../model/index.ts'
import { fillMergeTags, lossesFirst } from '../turn/index.ts'
import { type LimitUse, limitsUsed } from './limits-used.ts'

/** A reply on a platform. */
export interface ReplyPreview {
	/** How it reaches the user: as the answer to a call, through the platform's API, or not at all. */
	readonly via: 'answer' | 'push' | 'nothing'
	/** What the user sees. */
	readonly shown: CanonicalReply
	/** What was changed so that the platform can show it: what was dropped or shortened first. */
	readonly changes: readonly Change[]
	/** The limits of the platform that the reply comes near to, the nearest first. */
	readonly limits: readonly LimitUse[]
	/** What goes over the wire; no calls where nothing reaches the user. */
	readonly wire: WireResponse | readonly PushCall[]
}

/** An event in the format of an upstream. */
export interface EventPreview {
	/** The event as the format can hold it. */
	readonly event: CanonicalEvent
	readonly changes: readonly Change[]
	/** The call, unsigned. */
	readonly call: WireRequest
}

/** Somebody's first message, as far as a platform can express it: what a previewed reply answers. */
const sampleEvent: CanonicalEvent = {
	id: '00000000-0000-4000-8000-000000000001',
	kind: 'message',
	conversation: '000000000000000000000001',
	user: { id: '000000000000000000000002', name: 'Ada', attributes: {} },
	text: 'Hello',
	attributes: {},
}

const context: FitContext = { turnId: 'preview', receivedAt: '2026-01-31T12:00:00.000Z', remembers: true }

/** The reply as the users of a platform would see it. Pure: the same reply gives the same preview. */
export function previewReply(reply: CanonicalReply, adapter: Adapter): ReplyPreview {
	const { value: event } = fitEvent(sampleEvent, adapter.event, context)
	const answerLeg = adapter.reply(event)
	if (answerLeg) {
		const { shown, wire, ...rest } = previewOn(answerLeg, reply, event)
		return { via: 'answer', shown, wire, ...rest, limits: rest.limits(bytesOf(wire.body)) }
	}
	const pushLeg = pushLegOf(adapter, event)
	if (pushLeg) {
		const { shown, wire, ...rest } = previewOn(pushLeg, reply, event)
		const bytes = wire.reduce((sum, { body }) => sum + bytesOf(body), 0)
		return { via: 'push', shown, wire, ...rest, limits: rest.limits(bytes) }
	}
	const changes = reply.messages.map(
		(_, i): Change => ({ path: `messages[${i}]`, feature: 'reply', did: 'dropped', detail: 'no answer is read' }),
	)
	return {
		via: 'nothing',
		shown: { messages: [], attributes: { session: {}, user: {} } },
		changes,
		limits: [],
		wire: [],
	}
}

/** The event as an upstream that speaks a format would get it. Pure. */
export function previewEvent(event: CanonicalEvent, adapter: Adapter): EventPreview {
	const { value, changes } = fitEvent(event, adapter.event, context)
	return { event: value, changes: lossesFirst(changes), call: adapter.event.encode(value) }
}

function previewOn<Wire extends WireResponse | readonly PushCall[]>(
	leg: ReplyLeg<Wire>,
	reply: CanonicalReply,
	event: CanonicalEvent,
) {
	const { value, changes } = fitReply(reply, leg, context)
	const wire = leg.encode(value)
	const { model } = leg.decode(wire)
	const filled = leg.mergeTags ? fillMergeTags(model, leg.mergeTags, event).reply : model
	return {
		shown: leg.seen?.(filled, event) ?? filled,
		changes: lossesFirst(changes),
		limits: (bytes: number) => limitsUsed(value, leg.carries, bytes),
		wire,
	}
}

function pushLegOf(adapter: Adapter, event: CanonicalEvent): PushLeg | undefined {
	const address = adapter.push?.address(adapter.event.encode(event), event)
	return address === undefined ? undefined : adapter.push?.target(address).leg
}

function bytesOf(body: string): number {
	return new TextEncoder().encode(body).length
}
