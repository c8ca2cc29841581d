/** Finds the route of a path in one look-up, however many routes there are. */
import { limits } from '../limits.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { type PreparedRoute, prepareRoute } from '../turn/index.ts'

/** Where a path leads. */
export interface Match {
	readonly route: PreparedRoute
	/** The segment behind the route's path, decoded. */
	readonly pathSecret?: string
	/** No route has this path: the route here is a decoy. */
	readonly decoy?: true
	/** Bytes that a call's body may have. */
	readonly maxBody: number
	/** Bytes that are read of any body before the call's origin is checked. */
	readonly readAtMost: number
}

/** The look-up for these routes. An unknown path leads to a decoy, whose secret exists nowhere. */
export function routeTable(routes: readonly Route[], runtime: Runtime): (path: string) => Match {
	const [first] = routes
	if (!first) throw new TypeError('A gateway needs a route')
	// Every guarded route compares as many secrets and reads as many bytes, so that a caller without the secret cannot tell them from each other or from an unknown path.
	const most = Math.max(1, ...routes.map(({ secrets }) => secrets.length))
	const readAtMost = Math.max(...routes.map(maxBodyOf))
	const padded = (secrets: readonly string[]): string[] => [
		...secrets,
		...Array.from({ length: most - secrets.length }, runtime.newId),
	]
	const matches = new Map(
		routes.map((route): [string, Match] => {
			const guarded = route.secrets.length === 0 ? route : { ...route, secrets: padded(route.secrets) }
			return [route.path, { route: prepareRoute(guarded), maxBody: maxBodyOf(route), readAtMost }]
		}),
	)
	const alike = routes.find(({ platforms }) => platforms[0].adapter.auth) ?? first
	const decoyRoute = prepareRoute({ ...alike, secrets: padded([]) })
	const decoy: Match = { route: decoyRoute, maxBody: readAtMost, readAtMost, decoy: true }

	return (path) => {
		const exact = matches.get(path)
		if (exact) return exact
		const end = path.lastIndexOf('/')
		return { ...(matches.get(path.slice(0, end)) ?? decoy), pathSecret: decode(path.slice(end + 1)) }
	}
}

function maxBodyOf({ platforms }: Route): number {
	return Math.max(...platforms.map(({ adapter }) => adapter.maxBody ?? limits.bodyBytes.value))
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment)
	} catch {
		return segment
	}
}
