/** Plays a user of a platform: calls the gateway as the platform would, and tells what the user then sees. */
import * as v from 'valibot'
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalReply, Change, Message } from '../model/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { Refused, simulate } from '../simulator/index.ts'
import type { Pushes } from './pushes.ts'

const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(10_000))

/** What a user does, in which conversation. */
export const TalkRequest = v.strictObject({
	route: v.string(),
	platform: v.string(),
	action: v.union([
		v.strictObject({ text: Text }),
		v.strictObject({
			choice: v.strictObject({ value: Text, label: v.optional(Text) }),
			held: v.optional(v.string()),
		}),
		v.strictObject({ start: v.literal(true) }),
	]),
	conversation: v.optional(v.string()),
	user: v.optional(v.string()),
})
export type TalkRequest = v.InferOutput<typeof TalkRequest>

/** What came of it. */
export interface TalkAnswer {
	/** To go on with. Absent: the platform has no such ids. */
	readonly conversation?: string | undefined
	readonly user?: string | undefined
	/** What of the user's words and ids the platform cannot express. */
	readonly lost: readonly Change[]
	/** What the user sees. Absent: the platform reads no answer, or refused it. */
	readonly reply?: CanonicalReply
	/** What pressed buttons hold, by the value that is read from it. */
	readonly held: readonly (readonly [value: string, held: string])[]
	/** The two messages. The call is absent where the answer was refused. */
	readonly call?: WireRequest
	readonly answer?: WireResponse
	/** Why the platform would refuse the answer, and what it shows in its place. */
	readonly refusal?: { readonly why: string; readonly shown: readonly Message[] }
	/** Milliseconds until the answer had been read. */
	readonly ms: number
}

/** The gateway that is talked to. */
export interface TalkingGateway {
	readonly url: string
	/** As the newest configuration has them. */
	readonly routes: readonly Route[]
	/** Its clock, its cryptography, and a way to call it that keeps the bodies of errors. */
	readonly runtime: Pick<Runtime, 'send' | 'now' | 'elapsed' | 'newId' | 'crypto'>
}

/** Somebody to talk as: a platform of a route. */
export interface TalkPlace {
	readonly route: string
	readonly platform: string
	/** The bot is the one inside the gateway. */
	readonly isDemo: boolean
	readonly readsAnswers: boolean
}

/** Every platform of every route. */
export function talkPlaces(routes: readonly Route[]): TalkPlace[] {
	return routes.flatMap(({ name: route, platforms, upstream }) =>
		platforms.map(({ name: platform, adapter }) => ({
			route,
			platform,
			isDemo: upstream.send !== undefined,
			readsAnswers: adapter.reply({ kind: 'message', attributes: {} }) !== undefined,
		})),
	)
}

/** Makes the call. Undefined: there is no such platform on no such route. */
export async function talk(
	gateway: TalkingGateway,
	request: TalkRequest,
	pushes: Pushes,
): Promise<TalkAnswer | undefined> {
	const route = gateway.routes.find(({ name }) => name === request.route)
	const adapter = route?.platforms.find(({ name }) => name === request.platform)?.adapter
	if (!route || !adapter) return undefined
	const { runtime } = gateway
	const { conversation, user, action } = request
	const [secret] = route.secrets
	const startedAt = runtime.elapsed()
	const since = () => Math.round(runtime.elapsed() - startedAt)
	try {
		const turn = await simulate(adapter, {
			...runtime,
			...action,
			url: gateway.url + route.path,
			...(secret !== undefined && { secret }),
			...(conversation !== undefined && { conversation }),
			...(user !== undefined && { user }),
			handshake: conversation === undefined,
			admit: (call) => pushes.admit(request.platform, call),
		})
		const { event, lost, call, answer, reply, held } = turn
		return {
			conversation: event.conversation,
			user: event.user?.id,
			lost,
			...(reply && { reply }),
			held: [...held],
			call,
			answer,
			ms: since(),
		}
	} catch (thrown) {
		if (!(thrown instanceof Refused)) throw thrown
		const { message, answer, defaultReply } = thrown
		return {
			conversation,
			user,
			lost: [],
			held: [],
			...(answer && { answer }),
			refusal: { why: message, shown: defaultReply ?? [] },
			ms: since(),
		}
	}
}
