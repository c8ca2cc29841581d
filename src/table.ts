/** Finds the route of a path in one look-up, however many routes there are. */
import type { Route } from './route.ts'
import type { Runtime } from './runtime.ts'

/** Where a path leads. */
export interface Match {
	readonly route: Route
	/** The segment behind the route's path, decoded. */
	readonly pathSecret?: string
	/** Bytes that a call's body may have. */
	readonly maxBody: number
}

const usualMaxBody = 1024 * 1024

/** The look-up for these routes. A path of none leads to a route that nobody holds the secret of. */
export function routeTable(routes: readonly Route[], runtime: Runtime): (path: string) => Match {
	const [first] = routes
	if (!first) throw new TypeError('A gateway needs a route')
	const matches = new Map(routes.map((route) => [route.path, { route, maxBody: maxBodyOf(route) }]))
	// So that an unknown path costs what a wrong secret costs, and cannot be told from one.
	const decoy = { route: { ...first, secrets: [runtime.newId()] }, maxBody: usualMaxBody }

	return (path) => {
		const exact = matches.get(path)
		if (exact) return exact
		const end = path.lastIndexOf('/')
		return { ...(matches.get(path.slice(0, end)) ?? decoy), pathSecret: decode(path.slice(end + 1)) }
	}
}

function maxBodyOf({ platforms }: Route): number {
	return Math.max(...platforms.map(({ adapter }) => adapter.maxBody ?? usualMaxBody))
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment)
	} catch {
		return segment
	}
}
