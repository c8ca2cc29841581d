/** Reads a configuration: names, options and environment variables become routes, or a list of every mistake. */
import type { Route } from '../route.ts'
import { ConfigError, Findings } from './mistakes.ts'
import { resolveRoutes } from './resolve.ts'
import * as schema from './schema.ts'
import { type ConfigContext, resolveUpstream } from './upstream.ts'

export { ConfigError } from './mistakes.ts'
export { Config } from './schema.ts'
export type { Environment } from './secrets.ts'
export type { ConfigContext } from './upstream.ts'

/** What a configuration says: the routes, and what an operator should look at without having to. */
export interface Reading {
	readonly routes: readonly Route[]
	readonly warnings: readonly string[]
}

/** Throws a ConfigError that has every mistake, each with its path: `routes[0].name: is missing`. */
export function readConfig(json: unknown, context: ConfigContext): Reading {
	const findings = new Findings()
	const routes = readTop(json, context, findings)
	if (findings.mistakes.length > 0) throw new ConfigError(findings.mistakes)
	return { routes, warnings: findings.warnings }
}

function readTop(json: unknown, context: ConfigContext, findings: Findings): Route[] {
	const object = findings.object(json, [])
	if (!object) return []
	findings.members(schema.Config, object, [], ['upstream', 'routes'])
	const { upstream, routes } = object
	const shared = upstream !== undefined && { upstream: resolveUpstream(upstream, ['upstream'], context, findings) }
	if (Array.isArray(routes) && routes.length > 0) return resolveRoutes(routes, shared, context, findings)
	findings.mistake(['routes'], routes === undefined ? 'is missing' : 'must be a list of one route or more')
	return []
}
