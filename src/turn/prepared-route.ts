/** A route with what its turns need to know of it, computed once. */
import type { Adapter } from '../format/index.ts'
import { type Route, type TimeLimits, timeLimitsOf } from '../route.ts'
import type { Upstream } from '../upstream/index.ts'
import { createSecretFinder, type SecretFinder } from './secret-finder.ts'

/** A route, and what is computed from it. */
export interface PreparedRoute extends Route {
	/** The methods that its platforms call with. */
	readonly methods: readonly string[]
	/** The adapters that answer set-up calls, one for each way to do so. */
	readonly setUpAdapters: readonly Adapter[]
	readonly limits: TimeLimits
	/** Finds the secrets of the route and of its upstream. */
	readonly hasSecret: SecretFinder
}

/** Prepares a route for its turns. */
export function prepareRoute(route: Route): PreparedRoute {
	const adapters = route.platforms.map(({ adapter }) => adapter)
	const setUpAdapters = new Map(adapters.map((adapter) => [adapter.challenge, adapter]))
	setUpAdapters.delete(undefined)
	return {
		...route,
		methods: [...new Set(adapters.flatMap(({ methods }) => methods))],
		setUpAdapters: [...setUpAdapters.values()],
		limits: timeLimitsOf(route),
		hasSecret: createSecretFinder([...route.secrets, ...secretsOf(route.upstream)]),
	}
}

function secretsOf({ secrets, signingKeys, hidden = [] }: Upstream): readonly string[] {
	return [...secrets, ...hidden, ...signingKeys.map((key) => btoa(String.fromCharCode(...key)))]
}
