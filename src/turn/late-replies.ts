/** Replies that came after their platform had got the holding reply: they are pushed, or put before the conversation's next reply. */
import { asGatewayError, GatewayError } from '../errors.ts'
import type { FitContext } from '../fit/index.ts'
import { fieldPath, type ReplyLeg } from '../format/index.ts'
import { type CanonicalReply, type Change, emptyReply, excessOfReply } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { fitContextOf, type Received, type TurnContext } from './context.ts'
import { pickByLanguage } from './localized-reply.ts'
import { causeOf } from './log.ts'
import { isRefused, mayPass } from './strict.ts'

/** Where a reply goes. */
interface Destination {
	readonly route: Route
	/** The key of its conversation in the state; undefined: it has none. */
	readonly conversation: string | undefined
	readonly leg: ReplyLeg
	readonly context: FitContext
}

/** Where the reply to an event goes. */
export function destinationOf(turn: TurnContext, { conversation, event }: Received, leg: ReplyLeg): Destination {
	return { route: turn.route, conversation, leg, context: fitContextOf(turn, event) }
}

/** Whether the late reply to an event is pushed. */
export function pushesLate({ address }: Pick<Received, 'address'>, { holding }: Pick<Route, 'holding'>): boolean {
	return holding?.answer === 'push' && address !== undefined
}

/** The holding reply in the language of the user. */
export function holdingReply({ holding }: Pick<Route, 'holding'>, language: string | undefined): CanonicalReply {
	return pickByLanguage(holding?.reply ?? [], language) ?? emptyReply
}

/** Awaits the late reply in the background, and keeps it for the conversation's next reply. */
export function keepLateReply(
	turn: TurnContext,
	to: Destination,
	lateReply: Promise<CanonicalReply>,
	runtime: Runtime,
): void {
	runtime.background(storeLateReply(turn, to, lateReply, runtime))
}

/** Never rejects; one line in the log says what became of the reply. */
async function storeLateReply(
	{ turnId, startedAt, observed, route: { hasSecret } }: TurnContext,
	{ route, conversation, leg, context }: Destination,
	lateReply: Promise<CanonicalReply>,
	{ state, elapsed, letOthersRun, log }: Runtime,
): Promise<void> {
	const line = { msg: 'late', turn: turnId, route: route.name }
	const ms = () => Math.round(elapsed() - startedAt)
	try {
		const reply = await lateReply
		await letOthersRun()
		const wanted = route.holding?.answer === 'next-turn'
		// If it were stored, every later turn would fail.
		if (wanted && !mayPass(route, reply, [], leg, context)) throw new GatewayError('reply-does-not-fit')
		const stored = wanted && conversation !== undefined && (await state.addLateReply(conversation, reply))
		const isMeant = stored || route.holding?.answer === 'drop'
		const did = stored ? 'kept' : 'dropped'
		log({ level: isMeant ? 'info' : 'warn', ...line, did, ms: ms() })
		observed?.late({ did, error: undefined })
	} catch (thrown) {
		const error = asGatewayError(thrown)
		const { code, context } = error
		const cause = causeOf(error, hasSecret)
		const why = { error: code, cause, upstreamStatus: context.upstreamStatus }
		log({ level: 'error', ...line, did: 'failed', ...why, ms: ms() })
		observed?.late({ did: 'failed', error: code })
	}
}

/** A reply behind late ones. */
export interface JoinedReply {
	readonly reply: CanonicalReply
	/** What the late ones lost by being joined. */
	readonly lost: readonly Change[]
	/** How many late ones there are. */
	readonly recalled: number
}

/**
 * The reply behind the late ones of its conversation, oldest first. They are taken out of the state, so that no other
 * turn shows them again. Those with which the reply does not fit, or would be over the limits of a reply, wait for the
 * next one. All of them wait if the reply is refused for what it has lost already: `lost`.
 */
export function prependLateReplies(
	reply: CanonicalReply,
	lost: readonly Change[],
	to: Destination,
	runtime: Pick<Runtime, 'state' | 'letOthersRun' | 'log'>,
): JoinedReply | Promise<JoinedReply> {
	const { route, conversation } = to
	const mayTake = route.holding?.answer === 'next-turn' && !isRefused(route, lost)
	if (conversation === undefined || !mayTake) return { reply, lost: [], recalled: 0 }
	return prependTo(reply, conversation, to, runtime)
}

async function prependTo(
	reply: CanonicalReply,
	conversation: string,
	{ route, leg, context }: Destination,
	{ state, letOthersRun, log }: Pick<Runtime, 'state' | 'letOthersRun' | 'log'>,
): Promise<JoinedReply> {
	const replies = await state.takeLateReplies(conversation)
	// The largest number of late ones that passes, found by halving: each try fits all that it joins.
	let [recalled, tooMany] = [0, replies.length + 1]
	for (let count = replies.length; tooMany - recalled > 1; count = Math.floor((recalled + tooMany) / 2)) {
		await letOthersRun()
		const joined = join(replies.slice(0, count), reply)
		if (!excessOfReply(joined.reply) && mayPass(route, joined.reply, joined.lost, leg, context)) recalled = count
		else tooMany = count
	}
	for (const each of replies.slice(recalled)) {
		const stored = await state.addLateReply(conversation, each)
		// Others came meanwhile.
		if (!stored) log({ level: 'warn', msg: 'late', turn: context.turnId, route: route.name, did: 'dropped' })
	}
	return { ...join(replies.slice(0, recalled), reply), recalled }
}

/** One reply behind others: of what there can be only one, the last counts. */
function join(before: readonly CanonicalReply[], last: CanonicalReply): { reply: CanonicalReply; lost: Change[] } {
	const replies = [...before, last]
	const lost: Change[] = []
	const single = replies.reduce<Pick<CanonicalReply, 'control' | 'overrides'>>((first, second) => {
		for (const part of ['control', 'overrides'] as const) {
			const twice = Object.keys(first[part] ?? {}).filter((name) => Object.hasOwn(second[part] ?? {}, name))
			for (const name of twice)
				lost.push({
					path: fieldPath([part, name]),
					feature: 'reply',
					did: 'dropped',
					detail: 'replaced by a later reply',
				})
		}
		return {
			control: { ...first.control, ...second.control },
			overrides: { ...first.overrides, ...second.overrides },
		}
	}, {})
	const { control = {}, overrides = {} } = single
	const reply = {
		// Joined in one step: there may be thousands.
		messages: replies.flatMap(({ messages }) => messages),
		attributes: {
			session: Object.fromEntries(replies.flatMap(({ attributes }) => Object.entries(attributes.session))),
			user: Object.fromEntries(replies.flatMap(({ attributes }) => Object.entries(attributes.user))),
		},
		...(Object.keys(control).length > 0 && { control }),
		...(Object.keys(overrides).length > 0 && { overrides }),
	}
	return { reply, lost }
}
