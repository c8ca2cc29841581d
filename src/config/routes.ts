/** Makes a route of the configuration into one the gateway runs, and looks at all routes side by side. */
import type { NamedAdapter } from '../format/index.ts'
import { type HoldingReply, longestUpstreamWait, type Route } from '../route.ts'
import { keysOf } from '../schema/index.ts'
import type { Upstream } from '../upstream/index.ts'
import type { ConfigIssues, Path } from './issues.ts'
import { repliesOf } from './localized-replies.ts'
import * as schema from './schema.ts'
import { secretsOf } from './secrets.ts'
import { adapterOf, type ConfigContext, resolveUpstream } from './upstreams.ts'

type Given = Partial<schema.Route>

/** A route as far as it can be used. */
interface Entry {
	readonly at: Path
	readonly given: Given
	readonly route: Route | undefined
}

/** All routes; those that cannot be used are left out, and what is wrong with them are mistakes. */
export function resolveRoutes(
	values: readonly unknown[],
	shared: false | { readonly upstream: Upstream | undefined },
	context: ConfigContext,
	findings: ConfigIssues,
): Route[] {
	const entries = values.flatMap((value, i): Entry[] => {
		const at: Path = ['routes', i]
		const object = findings.object(value, at)
		if (!object) return []
		const { upstream: own } = object
		const given = findings.members(schema.Route, object, at, ['upstream'])
		if (object.secrets === undefined && !given.open && !context.loopback) {
			findings.issue(
				[...at, 'secrets'],
				'is required unless the gateway listens on localhost; add a secret or set "open": true',
			)
		}
		if (own === undefined && !shared)
			findings.issue([...at, 'upstream'], 'is missing, and there is no upstream for all routes')
		const ofAll = shared ? shared.upstream : undefined
		const upstream = own === undefined ? ofAll : resolveUpstream(own, [...at, 'upstream'], context, findings)
		return [{ at, given, route: resolveRoute(given, upstream, at, context, findings) }]
	})
	checkTable(entries, findings)
	return entries.flatMap(({ route }) => route ?? [])
}

function resolveRoute(
	given: Given,
	upstream: Upstream | undefined,
	at: Path,
	context: ConfigContext,
	findings: ConfigIssues,
): Route | undefined {
	const { name, path, secrets = [], open } = given
	if (path !== undefined) checkPath(path, [...at, 'path'], findings)
	if (open && secrets.length > 0)
		findings.issue([...at, 'open'], 'cannot be combined with "secrets"; remove one of the two')
	const [first, ...others] = platformsOf(given, at, context, findings)
	const resolved = {
		secrets: secretsOf(secrets, [...at, 'secrets'], context.env, findings),
		policy: given.policy ?? 'degrade',
		failure: repliesOf(given.failure ?? {}, [...at, 'failure'], findings),
		idempotent: given.idempotent ?? false,
		debug: given.debug ?? false,
		raw: given.raw ?? false,
	}
	const holding = given.late && holdingReplyOf(given.late, first ? [first, ...others] : [], [...at, 'late'], findings)
	if (name === undefined || path === undefined || !first || !upstream) return undefined
	return { name, path, platforms: [first, ...others], upstream, ...resolved, ...(holding && { holding }) }
}

function holdingReplyOf(
	{ after, reply, answer = 'next-turn' }: NonNullable<Given['late']>,
	platforms: readonly NamedAdapter[],
	at: Path,
	findings: ConfigIssues,
): HoldingReply {
	for (const { name, adapter } of platforms) {
		const longest = longestUpstreamWait(adapter)
		if (after > longest) findings.issue([...at, 'after'], `must be at most ${longest}: ${name} does not wait longer`)
	}
	const replies = repliesOf(reply, [...at, 'reply'], findings)
	if (replies.length === 0) findings.issue([...at, 'reply'], 'must not be empty')
	return { after, reply: replies, answer }
}

function platformsOf(given: Given, at: Path, context: ConfigContext, findings: ConfigIssues): NamedAdapter[] {
	const { platform, options = {} } = given
	const optionsAt = [...at, 'options']
	if (platform === undefined) return []
	if (typeof platform === 'string') {
		const adapter = adapterOf(platform, options, [...at, 'platform'], optionsAt, context, findings)
		return adapter ? [{ name: platform, adapter }] : []
	}
	for (const name of Object.keys(options)) {
		if (!platform.includes(name)) findings.issue([...optionsAt, name], strayOption(name, platform, context))
	}
	const adapters = platform.flatMap((name, i) => {
		const here = [...at, 'platform', i]
		if (platform.indexOf(name) < i) {
			findings.issue(here, 'is listed twice')
			return []
		}
		const adapter = adapterOf(name, options[name], here, [...optionsAt, name], context, findings)
		if (adapter && platform.length > 1 && !adapter.recognises) {
			findings.issue(here, 'cannot share a URL: this adapter cannot recognise its own calls')
		}
		return adapter ? [{ name, adapter }] : []
	})
	// The origin of a call is proved before its format is known.
	if (adapters.some(({ adapter }) => adapter.auth?.scheme !== adapters[0]?.adapter.auth?.scheme)) {
		findings.issue([...at, 'platform'], 'these adapters authenticate calls in different ways; give each its own route')
	}
	return adapters
}

function strayOption(option: string, platforms: readonly string[], { adapters }: ConfigContext): string {
	if (adapters.some(({ name }) => name === option)) return 'is not a platform of this route'
	const own = platforms.find((name) => keysOf(adapters.find((each) => each.name === name)?.options).includes(option))
	const example = `"options": { "${own ?? platforms[0]}": { … } }`
	const others = platforms.length > 1 ? `several platforms (${platforms.join(', ')})` : 'a list of platforms'
	return `this route has ${others}; put the option under the name of one, for example ${example}`
}

const pathForm = /^(?:\/[\w.~-]+)+$/
const ownPaths = ['/-', '/healthz', '/readyz']

function checkPath(path: string, at: Path, findings: ConfigIssues): void {
	if (!pathForm.test(path) || path.split('/').some((segment) => segment === '.' || segment === '..')) {
		findings.issue(at, 'must look like "/shop/web": segments of letters, digits and -._~, no query, no trailing slash')
	} else if (ownPaths.some((own) => path === own || path.startsWith(`${own}/`))) {
		findings.issue(at, 'is reserved for the gateway')
	}
}

function checkTable(entries: readonly Entry[], findings: ConfigIssues): void {
	const names = new Map<string, Path>()
	const paths = new Map<string, { at: Path; route: Route | undefined }>()
	for (const { at, given, route } of entries) {
		const { name, path } = given
		if (name !== undefined && names.has(name)) findings.issue([...at, 'name'], 'is already the name of another route')
		if (path !== undefined && paths.has(path)) findings.issue([...at, 'path'], 'is already the path of another route')
		if (name !== undefined) names.set(name, at)
		if (path !== undefined) paths.set(path, { at, route })
	}
	for (const [path, { at }] of paths) {
		const above = paths.get(path.slice(0, path.lastIndexOf('/')))?.route
		if (above && above.secrets.length > 0 && !above.platforms[0].adapter.auth) {
			findings.issue([...at, 'path'], `is where route "${above.name}" expects its secret`)
		}
	}
}
