/** Reads a configuration: names, options and environment variables become routes, or a list of every mistake. */
import type { Route } from '../route.ts'
import { ConfigError, ConfigIssues } from './issues.ts'
import { type OutboxSettings, resolveOutbox } from './outbox-settings.ts'
import { resolveRoutes } from './routes.ts'
import * as schema from './schema.ts'
import type { Environment } from './secrets.ts'
import { type ConfigContext, resolveUpstream } from './upstreams.ts'

/** What a configuration says: the routes, and what an operator should look at without having to. */
export interface Reading {
	readonly routes: readonly Route[]
	readonly outbox?: OutboxSettings
	readonly warnings: readonly string[]
}

/** Throws a ConfigError that has every mistake, each with its path: `routes[0].name: is missing`. */
export function readConfig(json: unknown, context: ConfigContext): Reading {
	const findings = new ConfigIssues()
	const { routes, outbox } = readTop(json, context, findings)
	if (findings.mistakes.length > 0) throw new ConfigError(findings.mistakes)
	return { routes, ...(outbox && { outbox }), warnings: findings.warnings }
}

/** The outbox alone, for who works on it: the rest of the configuration may be anything. Throws a ConfigError. */
export function readOutbox(json: unknown, env: Environment): OutboxSettings | undefined {
	const findings = new ConfigIssues()
	const value = findings.object(json, [])?.outbox
	const outbox = value === undefined ? undefined : resolveOutbox(value, ['outbox'], env, findings)
	if (findings.mistakes.length > 0) throw new ConfigError(findings.mistakes)
	return outbox
}

interface Top {
	readonly routes: readonly Route[]
	readonly outbox?: OutboxSettings | undefined
}

function readTop(json: unknown, context: ConfigContext, findings: ConfigIssues): Top {
	const object = findings.object(json, [])
	if (!object) return { routes: [] }
	findings.members(schema.Config, object, [], ['upstream', 'routes', 'outbox'])
	const { upstream, routes } = object
	const shared = upstream !== undefined && { upstream: resolveUpstream(upstream, ['upstream'], context, findings) }
	const outbox =
		object.outbox === undefined ? undefined : resolveOutbox(object.outbox, ['outbox'], context.env, findings)
	if (Array.isArray(routes) && routes.length > 0) {
		return { routes: resolveRoutes(routes, shared, context, findings), outbox }
	}
	findings.issue(['routes'], routes === undefined ? 'is missing' : 'must be a list of at least one route')
	return { routes: [], outbox }
}
