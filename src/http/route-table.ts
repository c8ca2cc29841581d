/** Finds the route of a path in one look-up, however many routes there are. */
import { limits } from '../limits.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { type PreparedRoute, prepareRoute, type ReplyRoutes } from '../turn/index.ts'

interface Place {
	readonly route: PreparedRoute
	/** No route has this path: the route here is a decoy. */
	readonly isDecoy: boolean
	/** Bytes that a call's body may have. */
	readonly maxBody: number
}

/** Where a path leads. */
export interface Match extends Place {
	/** The segment behind the route's path, decoded. Undefined: there is none. */
	readonly pathSecret: string | undefined
}

/** The look-ups for the routes of a gateway. What is unknown leads to a decoy, whose secret exists nowhere. */
export interface RouteTable extends ReplyRoutes {
	/** By the path of a call: that of a route, or one segment more. */
	byPath(path: string): Match
	/** By the name of a route, which a secret may follow as in a path. */
	byName(name: string): Match
}

export function routeTable(routes: readonly Route[], runtime: Runtime): RouteTable {
	const [first] = routes
	if (!first) throw new TypeError('A gateway needs a route')
	// Every guarded route compares as many secrets, so that a caller without the secret cannot tell them from each other or from an unknown path.
	const most = Math.max(1, ...routes.map(({ secrets }) => secrets.length))
	const padded = (secrets: readonly string[]): string[] => [
		...secrets,
		...Array.from({ length: most - secrets.length }, runtime.newId),
	]
	const prepared = routes.map((route): Place => {
		const secrets = route.secrets.length === 0 ? [] : padded(route.secrets)
		return { route: { ...prepareRoute(route), secrets }, isDecoy: false, maxBody: maxBodyOf(route) }
	})
	const alike = routes.find(({ platforms }) => platforms[0].adapter.auth) ?? first
	const decoyRoute = prepareRoute({ ...alike, secrets: padded([]) })
	// Where a proof in the body is looked for in vain, no more of it is read than where none is.
	const decoy: Place = { route: decoyRoute, isDecoy: true, maxBody: limits.unprovenBodyBytes.value }

	const paths = new Map(prepared.map((match) => [match.route.path, match]))
	const names = new Map(prepared.map((match) => [match.route.name, match]))
	const inOneOf =
		(matches: ReadonlyMap<string, Place>) =>
		(text: string): Match => {
			// The same steps whether there is a route or not, because the time must not tell.
			const end = text.lastIndexOf('/')
			const exact = matches.get(text)
			const outer = matches.get(text.slice(0, end)) ?? decoy
			const segment = decode(text.slice(end + 1))
			// A route whose calls carry a proof has nothing behind its path.
			const outerBody = outer.route.platforms[0].adapter.auth ? decoy.maxBody : outer.maxBody
			const { route, isDecoy } = exact ?? outer
			return {
				route,
				pathSecret: exact ? undefined : segment,
				isDecoy,
				maxBody: exact ? exact.maxBody : outerBody,
			}
		}
	const replyKeys = [...new Set(routes.flatMap(({ replyUrl }) => replyUrl?.keys ?? []))]
	return { byPath: inOneOf(paths), byName: inOneOf(names), named: (name) => names.get(name)?.route, replyKeys }
}

function maxBodyOf({ platforms, maxBody }: Route): number {
	return maxBody ?? Math.max(...platforms.map(({ adapter }) => adapter.maxBody ?? limits.bodyBytes.value))
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment)
	} catch {
		return segment
	}
}
