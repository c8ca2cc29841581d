/** Reads what a platform has to know of one route, and leaves the rest of the configuration unread. */
import { closestName } from '../schema/index.ts'
import { ConfigError, ConfigIssues } from './issues.ts'
import { readPublicUrl } from './reply-urls.ts'
import { checkPath } from './routes.ts'
import * as schema from './schema.ts'
import { type Environment, readSecret } from './secrets.ts'

/** A route as its platform knows it. */
export interface WebhookRoute {
	readonly name: string
	readonly path: string
	/** Names of its adapters. */
	readonly platforms: readonly string[]
	/** Where the gateway is reached from outside, without a slash at its end. Absent: the configuration does not say. */
	readonly publicUrl?: string
	/** The secret that the platform has to send, the first of the route. Absent: the route is open. */
	readonly secret?: string
}

/** The route of this name. Throws a ConfigError that lists what is wrong with it, or that suggests another name. */
export function readWebhookRoute(json: unknown, name: string, env: Environment): WebhookRoute {
	const issues = new ConfigIssues()
	const whole = issues.object(json, [])
	const routes = Array.isArray(whole?.routes) ? whole.routes : []
	const index = routes.findIndex((route) => nameOf(route) === name)
	const at = ['routes', index]
	const object = index === -1 ? undefined : issues.object(routes[index], at)
	if (!object)
		throw new ConfigError([
			describeAbsent(
				name,
				routes.flatMap((route) => nameOf(route) ?? []),
			),
		])
	const { path, platform = [], secrets: [first] = [], ...own } = issues.members(schema.Route, object, at, ['upstream'])
	if (path !== undefined) checkPath(path, [...at, 'path'], issues)
	const common =
		typeof whole?.publicUrl === 'string' ? readPublicUrl(whole.publicUrl, ['publicUrl'], issues) : undefined
	const publicUrl = own.publicUrl === undefined ? common : readPublicUrl(own.publicUrl, [...at, 'publicUrl'], issues)
	const secret = first && readSecret(first, [...at, 'secrets', 0], env, issues)
	issues.throwIfAny()
	const platforms = typeof platform === 'string' ? [platform] : platform
	return {
		...{ name, path: path ?? '', platforms },
		...(publicUrl !== undefined && { publicUrl }),
		...(secret !== undefined && { secret }),
	}
}

function nameOf(route: unknown): string | undefined {
	const name = typeof route === 'object' && route !== null && 'name' in route ? route.name : undefined
	return typeof name === 'string' ? name : undefined
}

function describeAbsent(name: string, names: readonly string[]): string {
	const meant = closestName(name, names)
	const others = meant === undefined ? `; there are: ${names.join(', ')}` : `; did you mean "${meant}"?`
	return `routes: none is called "${name}"${names.length === 0 ? '' : others}`
}
