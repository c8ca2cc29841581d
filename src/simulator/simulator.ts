/** Simulates a platform from its adapter: calls a webhook, rejects answers the platform would reject, decodes the rest. */
import { GatewayError } from '../errors.ts'
import { type FitContext, fitEvent, fitReply } from '../fit/index.ts'
import type { Adapter, ReplyLeg, WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Change, Choice } from '../model/index.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Runtime } from '../runtime.ts'
import { fillMergeTags } from '../turn/index.ts'
import { upstreamUrl } from '../upstream/index.ts'
import { selectableOptions } from './render-text.ts'
import { type ActingUser, defaultReplyOf, eventOf } from './user-action.ts'

/** A user's action, the webhook to call, and what the call needs from the runtime. */
export type Simulation = ActingUser &
	Pick<Runtime, 'send' | 'now' | 'crypto'> & {
		/** The URL of the webhook, as in the platform's settings. */
		readonly url: string
		/** Authenticates the call. Absent: the call is not authenticated. */
		readonly secret?: string
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
	/** What the buttons of these values hold, where that is more than the value. */
	readonly held: ReadonlyMap<string, string>
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
	const context: FitContext = { turnId: newId(), receivedAt: rfc3339(now()) }
	if (simulation.handshake !== false) await verifySetUp(adapter, simulation)

	const { value: event, changes } = fitEvent(eventOf(adapter, simulation), adapter.event, context)
	const lost = changes.filter(({ did }) => did !== 'added')
	const encoded = adapter.event.encode(event)
	const held = 'choice' in simulation ? simulation.held : undefined
	const call = (held !== undefined && adapter.simulated?.pressed?.(encoded, held)) || encoded
	try {
		const answer = await post(adapter, call, simulation, simulation.admit)
		const isSuccess = answer.status >= 200 && answer.status <= 299
		const leg = adapter.reply(event)
		if (!isSuccess || (leg && adapter.simulated?.reads?.(answer.status) === false)) {
			throw new Refused(`${statusOf(answer)}`, answer)
		}
		if (!leg) return { event, lost, call, answer, unread: [], held: new Map() }
		return { event, lost, call, answer, ...readAnswer(leg, answer, event, context) }
	} catch (thrown) {
		const shown = event.defaultReply ?? defaultReplyOf(simulation)
		if (thrown instanceof Refused && shown) thrown.defaultReply = shown
		throw thrown
	}
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
		if (code === 'upstream-unreachable') {
			const why = 'the URL cannot be reached. Check that the gateway is running, and the host and port of the URL'
			throw new Refused(why, undefined, { cause })
		}
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
): { readonly reply: CanonicalReply } & Pick<SimulatedTurn, 'unread' | 'held'> {
	const maxBytes = leg.carries.reply?.bytes
	const bytes = new TextEncoder().encode(answer.body).length
	if (maxBytes !== undefined && bytes > maxBytes) throw new Refused(`${bytes} bytes; the limit is ${maxBytes}`, answer)
	// Any backend may answer in the platform's own words, such as its markup.
	const own = leg.sameFormat ?? leg
	const written = decodeAnswer(own, answer).model
	const { changes: all } = fitReply(written, own, context)
	// How the platform keeps a number is its own matter.
	const changes = all.filter(({ feature, did }) => feature !== 'reply.attributes.session' || did !== 'converted')
	if (changes.length > 0) throw new Refused(`it cannot show ${changes.map(describeChange).join('; ')}`, answer)
	const { model, unread } = decodeAnswer(leg, answer)
	const meant = leg.forOthers?.(model) ?? model
	const filled = leg.mergeTags ? fillMergeTags(meant, leg.mergeTags, event).reply : meant
	const seen = (reply: CanonicalReply): CanonicalReply => leg.seen?.(reply, event) ?? reply
	const reply = seen(filled)
	return { reply, unread, held: heldBy(selectableOptions(reply), selectableOptions(seen(written))) }
}

/** What buttons hold, as they are written, by the value that is read from it. */
function heldBy(options: readonly Choice[], written: readonly Choice[]): Map<string, string> {
	return new Map(
		options.flatMap((option, i): [string, string][] => {
			const own = written[i]
			if (!own || !('value' in own && 'value' in option) || own.title !== option.title) return []
			return own.value === option.value ? [] : [[option.value, own.value]]
		}),
	)
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
