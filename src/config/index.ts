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

/** Throws a ConfigError that has every mistake, each with its path: `routes[1].secrets[0].env: no such variable`. */
export function readConfig(json: unknown, context: ConfigContext): Reading {
	const findings = new Findings()
	const { upstream: ofAll, ...given } = readTop(json, findings)
	const upstream = ofAll === undefined ? undefined : resolveUpstream(ofAll, ['upstream'], context, findings)
	const routes = resolveRoutes(given.routes, { given: ofAll !== undefined, upstream }, context, findings)
	if (findings.mistakes.length > 0) throw new ConfigError(findings.mistakes)
	return { routes, warnings: findings.warnings }
}

function readTop(json: unknown, findings: Findings): { upstream?: unknown; routes: readonly unknown[] } {
	findings.members(schema.Config, json, [], ['upstream', 'routes'])
	if (typeof json !== 'object' || json === null) return { routes: [] }
	const upstream = 'upstream' in json ? json.upstream : undefined
	const routes = 'routes' in json ? json.routes : undefined
	if (Array.isArray(routes) && routes.length > 0) return { upstream, routes }
	findings.mistake(['routes'], routes === undefined ? 'is missing' : 'must be a list of one route or more')
	return { upstream, routes: [] }
}
