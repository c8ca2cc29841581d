/** What a route can carry, for people and backends: served below `/-/carries/`. Holds nothing of the configuration. */
import type { Carries } from '../format/index.ts'
import type { CanonicalEvent, CanonicalReply, Turn } from '../model/index.ts'
import { plainestReply, type Route } from '../route.ts'

/** Features and limits by name. */
export interface RouteCapabilities {
	readonly route: string
	readonly platforms: readonly {
		readonly name: string
		/** Whether an answer can reach the user, and how. */
		readonly answer: Turn['answer']
		/** Milliseconds until the platform stops waiting, where that is known. */
		readonly deadline?: number
		/** What an answer may hold. */
		readonly reply: Carries<CanonicalReply>
		/** What the platform's calls may hold. */
		readonly event: Carries<CanonicalEvent>
	}[]
	readonly upstream: {
		readonly name: string
		/** What an event for the upstream may hold. */
		readonly event: Carries<CanonicalEvent>
	}
}

export function routeCapabilities({ name, platforms, upstream }: Route): RouteCapabilities {
	return {
		route: name,
		platforms: platforms.map(({ name, adapter }) => {
			const reply = plainestReply(adapter)
			return {
				name,
				answer: reply ? 'now' : adapter.push ? 'push' : 'never',
				...(adapter.deadline !== undefined && { deadline: adapter.deadline }),
				reply: (reply ?? adapter.push)?.carries ?? {},
				event: adapter.event.carries,
			}
		}),
		upstream: { name: upstream.name, event: upstream.adapter.event.carries },
	}
}
