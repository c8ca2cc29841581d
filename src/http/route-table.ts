/** Finds the route of a path in one look-up, however many routes there are. */
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'

/** Where a path leads. */
export interface Match {
	readonly route: Route
	/** The segment behind the route's path, decoded. */
	readonly pathSecret?: string
	/** The path is of none, and the route a decoy. */
	readonly decoy?: true
	/** Bytes that a call's body may have. */
	readonly maxBody: number
	/** Bytes that are read of any body before it is known whose it is. */
	readonly readAtMost: number
}

const defaultMaxBody = 1024 * 1024

/** The look-up for these routes. A path of none leads to a route that nobody holds the secret of. */
export function routeTable(routes: readonly Route[], runtime: Runtime): (path: string) => Match {
	const [first] = routes
	if (!first) throw new TypeError('A gateway needs a route')
	// Every guarded route compares as many secrets and reads as far, so that none can be told from another, or from none.
	const most = Math.max(1, ...routes.map(({ secrets }) => secrets.length))
	const readAtMost = Math.max(...routes.map(maxBodyOf))
	const padded = (secrets: readonly string[]): string[] => [
		...secrets,
		...Array.from({ length: most - secrets.length }, runtime.newId),
	]
	const matches = new Map(
		routes.map((route): [string, Match] => {
			const guarded = route.secrets.length === 0 ? route : { ...route, secrets: padded(route.secrets) }
			return [route.path, { route: guarded, maxBody: maxBodyOf(route), readAtMost }]
		}),
	)
	const alike = routes.find(({ platforms }) => platforms[0].adapter.auth) ?? first
	const decoy: Match = { route: { ...alike, secrets: padded([]) }, maxBody: readAtMost, readAtMost, decoy: true }

	return (path) => {
		const exact = matches.get(path)
		if (exact) return exact
		const end = path.lastIndexOf('/')
		return { ...(matches.get(path.slice(0, end)) ?? decoy), pathSecret: decode(path.slice(end + 1)) }
	}
}

function maxBodyOf({ platforms }: Route): number {
	return Math.max(...platforms.map(({ adapter }) => adapter.maxBody ?? defaultMaxBody))
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment)
	} catch {
		return segment
	}
}
