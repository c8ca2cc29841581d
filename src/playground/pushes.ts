/** The APIs of the platforms, simulated: what the gateway pushes there is what their users see later. */
import type { ApiCall, SimulatedApi, WireRequest, WireResponse } from '../format/index.ts'
import type { CanonicalReply } from '../model/index.ts'

/** What the user of a conversation sees without having done anything. */
export interface SeenPush {
	readonly platform: string
	readonly conversation: string
	readonly reply: CanonicalReply
	/** As in `TalkAnswer`. */
	readonly held: readonly (readonly [value: string, held: string])[]
}

/** The APIs, and who watches them. */
export interface Pushes {
	/** A call of a webhook, as the platform makes it: with what the gateway needs in order to push. */
	admit(platform: string, call: WireRequest): WireRequest
	/** Answers a call of an API. Undefined: the platform has none. */
	answer(platform: string, call: ApiCall): WireResponse | undefined
	/** Calls `see` for all that is pushed from now on, until the function that it returns is called. */
	follow(see: (push: SeenPush) => void): () => void
}

/** Makes APIs that can be watched. `apis`: by the name of the platform's adapter. */
export function createPushes(apis: ReadonlyMap<string, SimulatedApi>): Pushes {
	const watching = new Set<(push: SeenPush) => void>()
	return {
		admit: (platform, call) => apis.get(platform)?.admit(call) ?? call,
		answer(platform, call) {
			const answer = apis.get(platform)?.answer(call)
			if (!answer) return undefined
			const { response, conversation, seen: reply, held = [] } = answer
			if (reply && conversation !== undefined) {
				for (const see of watching) see({ platform, conversation, reply, held: [...held] })
			}
			return response
		},
		follow(see) {
			watching.add(see)
			return () => watching.delete(see)
		},
	}
}
