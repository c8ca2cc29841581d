/** Reads a configuration into the routes and the outbox settings that a gateway runs with. */
import { plainestReply, type Route } from '../route.ts'
import { ConfigIssues } from './issues.ts'
import { type MetricsSettings, resolveMetrics } from './metrics-settings.ts'
import { type OutboxSettings, resolveOutbox } from './outbox-settings.ts'
import type { PostgresSettings } from './postgres-settings.ts'
import { readPublicUrl, resolveReplyUrl, warnOfMissingUrls } from './reply-urls.ts'
import { resolveRoutes } from './routes.ts'
import * as schema from './schema.ts'
import type { Environment } from './secrets.ts'
import { resolveState, type StateSettings } from './state-settings.ts'
import { type ConfigContext, resolveUpstream } from './upstreams.ts'

/** A valid configuration. The gateway runs in spite of the warnings, but an operator should read them. */
export interface GatewaySettings {
	readonly routes: readonly Route[]
	readonly outbox?: OutboxSettings
	/** What the configuration says about limits, and no defaults. */
	readonly limits: schema.Limits
	readonly metrics?: MetricsSettings
	/** Absent: each process has its own state. */
	readonly state?: StateSettings
	readonly warnings: readonly string[]
}

/** Reads a configuration. Throws a ConfigError that lists every error with its path: `routes[0].name: is missing`. */
export function readConfig(json: unknown, context: ConfigContext): GatewaySettings {
	const issues = new ConfigIssues()
	const { routes, outbox, metrics, state, limits = {} } = readTopLevel(json, context, issues)
	issues.throwIfAny()
	return {
		...{ routes, limits, warnings: issues.warnings },
		...(outbox && { outbox }),
		...(metrics && { metrics }),
		...(state && { state }),
	}
}

/** Reads the outbox settings only, and ignores errors elsewhere in the configuration. Throws a ConfigError. */
export function readOutbox(json: unknown, env: Environment): OutboxSettings | undefined {
	const issues = new ConfigIssues()
	const value = issues.object(json, [])?.outbox
	const outbox = value === undefined ? undefined : resolveOutbox(value, ['outbox'], env, issues)
	issues.throwIfAny()
	return outbox
}

/**
 * Reads every PostgreSQL database that the configuration names, each once, and ignores errors in what names none. Throws a
 * ConfigError.
 */
export function readDatabases(json: unknown, env: Environment): readonly PostgresSettings[] {
	const issues = new ConfigIssues()
	const { outbox: givenOutbox, state: givenState } = issues.object(json, []) ?? {}
	const outbox = givenOutbox === undefined ? undefined : resolveOutbox(givenOutbox, ['outbox'], env, issues)
	const state = givenState === undefined ? undefined : resolveState(givenState, ['state'], env, issues)
	issues.throwIfAny()
	const named = [
		...(outbox && 'postgres' in outbox ? [outbox.postgres] : []),
		...(state?.store === 'postgres' ? [{ url: state.url, migrate: state.migrate }] : []),
	]
	return [...new Map(named.map((each) => [each.url, each])).values()]
}

interface TopLevel {
	readonly routes: readonly Route[]
	readonly outbox?: OutboxSettings | undefined
	readonly limits?: schema.Limits | undefined
	readonly metrics?: MetricsSettings | undefined
	readonly state?: StateSettings | undefined
}

function readTopLevel(json: unknown, context: ConfigContext, issues: ConfigIssues): TopLevel {
	const object = issues.object(json, [])
	if (!object) return { routes: [] }
	const { publicUrl: written, limits } = issues.members(
		schema.Config,
		object,
		[],
		['upstream', 'routes', 'replyUrl', 'outbox', 'metrics', 'state'],
	)
	const { upstream, routes } = object
	const shared = upstream !== undefined && resolveUpstream(upstream, ['upstream'], context, issues)
	const publicUrl = written === undefined ? undefined : readPublicUrl(written, ['publicUrl'], issues)
	const replyUrl =
		object.replyUrl === undefined ? undefined : resolveReplyUrl(object.replyUrl, ['replyUrl'], context.env, issues)
	const outbox = object.outbox === undefined ? undefined : resolveOutbox(object.outbox, ['outbox'], context.env, issues)
	const metrics =
		object.metrics === undefined ? undefined : resolveMetrics(object.metrics, ['metrics'], context.env, issues)
	const state = object.state === undefined ? undefined : resolveState(object.state, ['state'], context.env, issues)
	if (Array.isArray(routes) && routes.length > 0) {
		const common = { upstream: shared, ...(publicUrl !== undefined && { publicUrl }), ...(replyUrl && { replyUrl }) }
		const resolved = resolveRoutes(routes, common, context, issues)
		if (object.outbox === undefined && !context.hasOutbox) checkWithoutOutbox(resolved, issues)
		warnOfMissingUrls(resolved, replyUrl, issues)
		return { routes: resolved, outbox, metrics, state, limits }
	}
	issues.error(['routes'], routes === undefined ? 'is missing' : 'must be a list of at least one route')
	return { routes: [], outbox }
}

/** Reports what needs an outbox, where there is none. */
function checkWithoutOutbox(routes: readonly Route[], issues: ConfigIssues): void {
	for (const [i, { holding, platforms }] of routes.entries()) {
		if (holding?.answer === 'push') issues.error(['routes', i, 'late', 'answer'], 'requires "outbox", which is not set')
		for (const { name, adapter } of platforms) {
			if (!adapter.push || plainestReply(adapter)) continue
			issues.warning(
				['routes', i],
				`users of ${name} get no answer: to push replies requires "outbox", which is not set`,
			)
		}
	}
}
