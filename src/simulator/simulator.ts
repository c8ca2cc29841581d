/** A platform made from its adapter: calls a webhook as it does, refuses what it refuses, and shows what the user sees. */
import { GatewayError } from '../errors.ts'
import { type FitContext, fitEvent, fitReply } from '../fit/index.ts'
import { type Adapter, compact, type ReplyLeg, type WireRequest, type WireResponse } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Change } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { upstreamUrl } from '../upstream/index.ts'

/** What the user does: says something, presses a choice, opens the chat, or anything that an event can say. */
export type UserAction =
	| { readonly text: string }
	| { readonly choice: NonNullable<CanonicalEvent['choice']> }
	| { readonly start: true }
	| { readonly event: CanonicalEvent }

/** A webhook to call, and how. */
export type Simulation = UserAction &
	Pick<Runtime, 'send' | 'now' | 'newId' | 'crypto'> & {
		/** Where the webhook is, as the platform's settings would have it. */
		readonly url: string
		/** Absent: the call proves nothing. */
		readonly secret?: string
		/** Absent: one of its own, where the platform has any. */
		readonly conversation?: string
		/** The user's id. Absent: one of its own, where the platform has any. */
		readonly user?: string
		/** What the bot's author wrote for the platform to say by itself. Absent: nothing. */
		readonly defaultReply?: string
		/** Whether the set-up call goes first, where the platform makes one. Absent: yes. */
		readonly handshake?: boolean
	}

/** What was said on both sides. */
export interface SimulatedTurn {
	/** The event, as the platform could tell it. */
	readonly event: CanonicalEvent
	/** What of the event the platform cannot tell. */
	readonly lost: readonly Change[]
	readonly call: WireRequest
	readonly answer: WireResponse
	/** What the user sees. Absent: the platform reads no answer to this event. */
	readonly reply?: CanonicalReply
	/** Paths of what the platform does not read in the answer. */
	readonly unread: readonly string[]
}

/** The platform would refuse what it got. */
export class Refused extends Error {
	override readonly name = 'Refused'
	/** The answer that would be refused; absent when there was none. */
	readonly answer?: WireResponse
	/** What the user sees in its place: what the platform says by itself. Absent: nothing that is known. */
	defaultReply?: CanonicalEvent['defaultReply']

	constructor(why: string, answer?: WireResponse, options?: { cause?: unknown }) {
		super(`the platform would refuse: ${why}`, options)
		if (answer) this.answer = answer
	}
}

/** Milliseconds that a platform waits of which nothing is known. */
const patience = 30_000
/** Bytes that are read of any answer, so that a webhook that never ends does. */
const maxAnswer = 4 * 1024 * 1024

/** One event sent as the platform sends it, and its answer read as the platform reads it. Throws `Refused`. */
export async function simulate(adapter: Adapter, simulation: Simulation): Promise<SimulatedTurn> {
	const { newId, now } = simulation
	const context: FitContext = { turnId: newId(), receivedAt: new Date(now()).toISOString() }
	if (simulation.handshake !== false) await verifySetUp(adapter, simulation)

	const { value: event, changes } = fitEvent(eventOf(adapter, simulation), adapter.event, context)
	const lost = changes.filter(({ did }) => did !== 'added')
	const call = adapter.event.encode(event)
	try {
		const answer = await post(adapter, call, simulation)
		if (answer.status < 200 || answer.status > 299) throw new Refused(`${statusOf(answer)}`, answer)

		const leg = adapter.reply(event)
		if (!leg) return { event, lost, call, answer, unread: [] }
		const { model: reply, unread } = readAnswer(leg, answer, context)
		return { event, lost, call, answer, reply, unread }
	} catch (thrown) {
		if (thrown instanceof Refused && event.defaultReply) thrown.defaultReply = event.defaultReply
		throw thrown
	}
}

function eventOf({ event: { carries } }: Adapter, simulation: Simulation): CanonicalEvent {
	const { newId } = simulation
	if ('event' in simulation) {
		const { conversation = simulation.event.conversation } = simulation
		return { ...simulation.event, ...(conversation !== undefined && { conversation }) }
	}
	const conversation = simulation.conversation ?? (carries['event.conversation'] && hexId(newId()))
	const id = simulation.user ?? (carries['event.user.id'] && hexId(newId()))
	const { defaultReply } = simulation
	const asked = compact({
		attributes: {},
		conversation,
		user: id === undefined ? undefined : { id, attributes: {} },
		defaultReply: defaultReply === undefined ? undefined : [{ type: 'text' as const, text: defaultReply }],
	})
	if ('text' in simulation) return { kind: 'message', text: simulation.text, ...asked }
	if ('choice' in simulation) return { kind: 'choice', choice: simulation.choice, ...asked }
	return { kind: 'start', ...asked }
}

/** 24 hexadecimal digits: a form of id that is common, and that no platform is known to refuse. */
function hexId(id: string): string {
	return id
		.replace(/[^\da-f]/g, '')
		.slice(-24)
		.padStart(24, '0')
}

async function verifySetUp(adapter: Adapter, simulation: Simulation): Promise<void> {
	const handshake = adapter.handshake?.(simulation.newId())
	if (!handshake) return
	const answer = await post(adapter, handshake.call, simulation)
	if (!handshake.accepts(answer)) {
		throw new Refused(`the set-up call expects an answer other than ${statusOf(answer)}`, answer)
	}
}

async function post(adapter: Adapter, call: WireRequest, simulation: Simulation): Promise<WireResponse> {
	const { url, secret, crypto, send } = simulation
	const signed = adapter.auth && secret !== undefined ? await adapter.auth.sign(call, secret, crypto) : call
	const { deadline = patience } = adapter
	try {
		return await send({
			url: upstreamUrl(url, signed.query, adapter.auth ? undefined : secret),
			method: signed.method,
			headers: signed.headers,
			body: signed.body,
			signal: AbortSignal.timeout(deadline),
			maxBytes: maxAnswer,
			onlyPublic: false,
		})
	} catch (cause) {
		const code = cause instanceof GatewayError ? cause.code : undefined
		if (code === 'upstream-timeout') throw new Refused(`no answer within ${deadline} ms`, undefined, { cause })
		if (code === 'upstream-unreachable') throw new Refused('the URL cannot be reached', undefined, { cause })
		if (code === 'upstream-reply-too-large') throw new Refused(`more than ${maxAnswer} bytes`, undefined, { cause })
		if (code === 'upstream-reply-invalid') throw new Refused('the answer cannot be read', undefined, { cause })
		throw cause
	}
}

function statusOf({ status, body }: WireResponse): string {
	return `status ${status}${body === '' ? '' : `: ${body.slice(0, 500)}`}`
}

function readAnswer(leg: ReplyLeg, answer: WireResponse, context: FitContext): ReturnType<ReplyLeg['decode']> {
	const most = leg.carries.reply?.bytes
	const bytes = new TextEncoder().encode(answer.body).length
	if (most !== undefined && bytes > most) throw new Refused(`${bytes} bytes; the limit is ${most}`, answer)
	let decoded: ReturnType<ReplyLeg['decode']>
	try {
		decoded = leg.decode(answer)
	} catch (cause) {
		if (!(cause instanceof GatewayError)) throw cause
		const { code, field, context } = cause
		const where = [code, ...(field ? [field] : []), ...(context.expected ? [`expected ${context.expected}`] : [])]
		throw new Refused(where.join(', '), answer, { cause })
	}
	const { changes } = fitReply(decoded.model, leg, context)
	if (changes.length > 0) throw new Refused(`it cannot show ${changes.map(describeChange).join('; ')}`, answer)
	return decoded
}

/** A change in words: `messages[0].text (reply.text): shortened`. */
export function describeChange({ path, feature, did, detail }: Change): string {
	return `${path} (${feature}): ${did}${detail === undefined ? '' : `, ${detail}`}`
}
