/** Simulates a platform from its adapter: calls a webhook, rejects answers the platform would reject, decodes the rest. */
import { GatewayError } from '../errors.ts'
import { type FitContext, fitEvent, fitReply } from '../fit/index.ts'
import {
	type Adapter,
	compact,
	compactOrNone,
	type ReplyLeg,
	type WireRequest,
	type WireResponse,
} from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Change } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import { fillMergeTags } from '../turn/index.ts'
import { upstreamUrl } from '../upstream/index.ts'

/** What the user does: sends a text, selects a choice, opens the chat, or anything else as an event. */
export type UserAction =
	| { readonly text: string }
	| { readonly choice: NonNullable<CanonicalEvent['choice']> }
	| { readonly start: true }
	| { readonly event: CanonicalEvent }

/** A user's action, the webhook to call, and what the call needs from the runtime. */
export type Simulation = UserAction &
	Pick<Runtime, 'send' | 'now' | 'newId' | 'crypto'> & {
		/** The URL of the webhook, as in the platform's settings. */
		readonly url: string
		/** Authenticates the call. Absent: the call is not authenticated. */
		readonly secret?: string
		/** The conversation's id. Absent: a new one, if the platform has conversation ids. */
		readonly conversation?: string
		/** The user's id. Absent: a new one, if the platform has user ids. */
		readonly user?: string
		/** The text that the bot's author set as the platform's default reply. Absent: none. */
		readonly defaultReply?: string
		/** The event's call, signed, with what the platform adds for its API, such as a token. Absent: nothing. */
		admit?(call: WireRequest): WireRequest
		/** Whether to make the set-up call first, if the platform has one. Default: true. */
		readonly handshake?: boolean
	}

/** The call, the answer, and what each side understands of them. */
export interface SimulatedTurn {
	/** The event, as far as the platform can express it. */
	readonly event: CanonicalEvent
	/** Changes made to the event because the platform cannot express it. */
	readonly lost: readonly Change[]
	readonly call: WireRequest
	readonly answer: WireResponse
	/** What the user sees. Absent: the platform does not read the answer to this event. */
	readonly reply?: CanonicalReply
	/** Paths of the answer's fields that the platform does not read. */
	readonly unread: readonly string[]
}

/** Thrown if the platform would reject the answer, or get none. */
export class Refused extends Error {
	override readonly name = 'Refused'
	/** The rejected answer. Absent: there was none. */
	readonly answer?: WireResponse
	/** What the user sees instead: the platform's own default reply. Absent: not known. */
	defaultReply?: CanonicalEvent['defaultReply']

	constructor(why: string, answer?: WireResponse, options?: { cause?: unknown }) {
		super(`the platform would refuse: ${why}`, options)
		if (answer) this.answer = answer
	}
}

/** Milliseconds to wait for an answer if the platform's deadline is not known. */
const defaultDeadline = 30_000
/** Limit of an answer, so that an endless one cannot fill the memory. */
const maxAnswerBytes = 4 * 1024 * 1024

/** Sends one event as the platform would, and reads the answer as the platform would. Rejects with `Refused`. */
export async function simulate(adapter: Adapter, simulation: Simulation): Promise<SimulatedTurn> {
	const { newId, now } = simulation
	const context: FitContext = { turnId: newId(), receivedAt: new Date(now()).toISOString() }
	if (simulation.handshake !== false) await verifySetUp(adapter, simulation)

	const { value: event, changes } = fitEvent(eventOf(adapter, simulation), adapter.event, context)
	const lost = changes.filter(({ did }) => did !== 'added')
	const call = adapter.event.encode(event)
	try {
		const answer = await post(adapter, call, simulation, simulation.admit)
		if (answer.status < 200 || answer.status > 299) throw new Refused(`${statusOf(answer)}`, answer)

		const leg = adapter.reply(event)
		if (!leg) return { event, lost, call, answer, unread: [] }
		const { model: reply, unread } = readAnswer(leg, answer, event, context)
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
	const common = compact({
		attributes: {},
		conversation,
		user: id === undefined ? undefined : { id, attributes: {} },
		bot: botOf(carries, newId),
		trigger: triggerOf(carries, newId),
		defaultReply: defaultReply === undefined ? undefined : [{ type: 'text' as const, text: defaultReply }],
	})
	if ('text' in simulation) return { kind: 'message', text: simulation.text, ...common }
	if ('choice' in simulation) return { kind: 'choice', choice: simulation.choice, ...common }
	return { kind: 'start', ...common }
}

type Carried = Adapter['event']['carries']

/** A bot, as far as calls of the platform name one. */
function botOf(carries: Carried, newId: () => string): CanonicalEvent['bot'] {
	return compactOrNone({
		id: carries['event.bot.id'] && hexId(newId()),
		name: carries['event.bot.name'] && 'Simulated bot',
		project: carries['event.bot.project'] && hexId(newId()),
	})
}

/** The step of the bot that calls, as far as calls of the platform name one. */
function triggerOf(carries: Carried, newId: () => string): CanonicalEvent['trigger'] {
	const { values: [kind] = [] } = carries['event.trigger'] ?? {}
	if (kind === undefined) return undefined
	const id = carries['event.trigger.id'] && hexId(newId())
	const name = carries['event.trigger.name']?.default ?? (carries['event.trigger.name'] && 'simulated_step')
	return compact({ kind, id, name })
}

/** An id of 24 hexadecimal digits: a common form that every platform accepts, as far as we know. */
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

async function post(
	adapter: Adapter,
	call: WireRequest,
	{ url, secret, crypto, send }: Simulation,
	admit: (signed: WireRequest) => WireRequest = (signed) => signed,
): Promise<WireResponse> {
	const signed = admit(adapter.auth && secret !== undefined ? await adapter.auth.sign(call, secret, crypto) : call)
	const { deadline = defaultDeadline } = adapter
	try {
		return await send({
			url: upstreamUrl(url, signed.query, adapter.auth ? undefined : secret),
			method: signed.method,
			headers: signed.headers,
			body: signed.body,
			timeout: deadline,
			reads: 'reply',
			maxBytes: maxAnswerBytes,
			onlyPublic: false,
		})
	} catch (cause) {
		const code = cause instanceof GatewayError ? cause.code : undefined
		if (code === 'upstream-timeout') throw new Refused(`no answer within ${deadline} ms`, undefined, { cause })
		if (code === 'upstream-unreachable') throw new Refused('the URL cannot be reached', undefined, { cause })
		if (code === 'upstream-reply-too-large')
			throw new Refused(`more than ${maxAnswerBytes} bytes`, undefined, { cause })
		if (code === 'upstream-reply-invalid') throw new Refused('the answer cannot be read', undefined, { cause })
		throw cause
	}
}

function statusOf({ status, body }: WireResponse): string {
	return `status ${status}${body === '' ? '' : `: ${body.slice(0, 500)}`}`
}

/** What the user sees of an answer. Rejects one that the platform would not show as it stands. */
function readAnswer(
	leg: ReplyLeg,
	answer: WireResponse,
	event: CanonicalEvent,
	context: FitContext,
): ReturnType<ReplyLeg['decode']> {
	const maxBytes = leg.carries.reply?.bytes
	const bytes = new TextEncoder().encode(answer.body).length
	if (maxBytes !== undefined && bytes > maxBytes) throw new Refused(`${bytes} bytes; the limit is ${maxBytes}`, answer)
	// Any backend may answer in the platform's own words, such as its markup.
	const own = leg.sameFormat ?? leg
	const { changes } = fitReply(decodeAnswer(own, answer).model, own, context)
	if (changes.length > 0) throw new Refused(`it cannot show ${changes.map(describeChange).join('; ')}`, answer)
	const { model, unread } = decodeAnswer(leg, answer)
	const filled = leg.mergeTags ? fillMergeTags(model, leg.mergeTags, event).reply : model
	return { model: leg.seen?.(filled, event) ?? filled, unread }
}

function decodeAnswer(leg: ReplyLeg, answer: WireResponse): ReturnType<ReplyLeg['decode']> {
	try {
		return leg.decode(answer)
	} catch (cause) {
		if (!(cause instanceof GatewayError)) throw cause
		const { code, field, context } = cause
		const where = [code, ...(field ? [field] : []), ...(context.expected ? [`expected ${context.expected}`] : [])]
		throw new Refused(where.join(', '), answer, { cause })
	}
}

/** A change in words: `messages[0].text (reply.text): shortened`. */
export function describeChange({ path, feature, did, detail }: Change): string {
	return `${path} (${feature}): ${did}${detail === undefined ? '' : `, ${detail}`}`
}
