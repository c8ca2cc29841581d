/** Resolves the routes of the configuration into those the gateway runs, and checks them against each other. */
import { fitReply } from '../fit/index.ts'
import type { NamedAdapter } from '../format/index.ts'
import { type HoldingReply, longestUpstreamWait, plainestReply, type Route } from '../route.ts'
import { keysOf } from '../schema/index.ts'
import { isLoss } from '../turn/index.ts'
import type { Upstream } from '../upstream/index.ts'
import type { ConfigIssues, Path } from './issues.ts'
import { readReplies } from './localized-replies.ts'
import { readPublicUrl } from './reply-urls.ts'
import * as schema from './schema.ts'
import { readSecrets } from './secrets.ts'
import { type ConfigContext, resolveAdapter, resolveUpstream } from './upstreams.ts'

type Given = Partial<schema.Route>

/** A route of the configuration, resolved if it is valid. */
interface Entry {
	readonly at: Path
	readonly given: Given
	readonly route: Route | undefined
}

/** What the configuration says for all routes. */
export interface Common extends Pick<Route, 'publicUrl' | 'replyUrl'> {
	/** The upstream for all routes; false: there is none, undefined: it cannot be used. */
	readonly upstream: Upstream | false | undefined
}

/** All valid routes. Adds an error for everything that is wrong with the others. */
export function resolveRoutes(
	values: readonly unknown[],
	common: Common,
	context: ConfigContext,
	issues: ConfigIssues,
): Route[] {
	const entries = values.flatMap((value, i): Entry[] => {
		const at: Path = ['routes', i]
		const object = issues.object(value, at)
		if (!object) return []
		const { upstream: ownUpstream } = object
		const given = issues.members(schema.Route, object, at, ['upstream'])
		if (object.secrets === undefined && !given.open && !context.loopback) {
			issues.error(
				[...at, 'secrets'],
				'is required unless the gateway listens on localhost; add a secret or set "open": true',
			)
		}
		if (ownUpstream === undefined && common.upstream === false)
			issues.error([...at, 'upstream'], 'is missing, and there is no upstream for all routes')
		const upstream =
			ownUpstream === undefined ? common.upstream : resolveUpstream(ownUpstream, [...at, 'upstream'], context, issues)
		return [{ at, given, route: resolveRoute(given, { ...common, upstream }, at, context, issues) }]
	})
	checkUniqueness(entries, issues)
	return entries.flatMap(({ route }) => route ?? [])
}

function resolveRoute(
	given: Given,
	{ upstream, publicUrl: commonUrl, replyUrl }: Common,
	at: Path,
	context: ConfigContext,
	issues: ConfigIssues,
): Route | undefined {
	const { name, path, secrets = [], open } = given
	if (path !== undefined) checkPath(path, [...at, 'path'], issues)
	if (open && secrets.length > 0)
		issues.error([...at, 'open'], 'cannot be combined with "secrets"; remove one of the two')
	const [first, ...others] = resolvePlatforms(given, at, context, issues)
	const ownUrl = given.publicUrl && readPublicUrl(given.publicUrl, [...at, 'publicUrl'], issues)
	const publicUrl = ownUrl ?? commonUrl
	const resolved = {
		secrets: readSecrets(secrets, [...at, 'secrets'], context.env, issues),
		policy: given.policy ?? 'degrade',
		failure: readReplies(given.failure ?? {}, [...at, 'failure'], issues),
		idempotent: given.idempotent ?? false,
		...(given.maxBody !== undefined && { maxBody: given.maxBody }),
		...(publicUrl !== undefined && { publicUrl }),
		...(replyUrl && { replyUrl }),
		debug: given.debug ?? false,
		raw: given.raw ?? false,
	}
	const holding = given.late && readHoldingReply(given.late, first ? [first, ...others] : [], [...at, 'late'], issues)
	if (name === undefined || path === undefined || !first || !upstream) return undefined
	checkAnswers([first, ...others], upstream, at, issues)
	if (holding && resolved.policy === 'strict') checkHoldingFits(holding, [first, ...others], upstream, at, issues)
	return { name, path, platforms: [first, ...others], upstream, ...resolved, ...(holding && { holding }) }
}

/** Adds a warning for platforms that wait for an answer in vain. */
function checkAnswers(platforms: readonly NamedAdapter[], upstream: Upstream, at: Path, issues: ConfigIssues): void {
	if (plainestReply(upstream.adapter)) return
	for (const { name, adapter } of platforms) {
		if (plainestReply(adapter) ?? adapter.push) {
			issues.warning(
				at,
				`users of ${name} get no answer: with these options, ${upstream.name} as the format of an upstream has none`,
			)
		}
	}
}

function readHoldingReply(
	{ after, reply, answer = 'next-turn' }: NonNullable<Given['late']>,
	platforms: readonly NamedAdapter[],
	at: Path,
	issues: ConfigIssues,
): HoldingReply {
	for (const { name, adapter } of platforms) {
		const max = longestUpstreamWait(adapter)
		if (after > max) issues.error([...at, 'after'], `must be at most ${max}: ${name} does not wait longer`)
		if (answer === 'push' && !adapter.push) issues.error([...at, 'answer'], describeNoPush(name))
	}
	const replies = readReplies(reply, [...at, 'reply'], issues)
	if (replies.length === 0) issues.error([...at, 'reply'], 'must not be empty')
	return { after, reply: replies, answer }
}

/** Adds an error for a holding reply that a strict route would refuse: its turn would fail after the backend got the event. */
function checkHoldingFits(
	{ reply: replies }: HoldingReply,
	platforms: readonly NamedAdapter[],
	upstream: Upstream,
	at: Path,
	issues: ConfigIssues,
): void {
	const context = { turnId: '', receivedAt: '', decodedFrom: upstream.name, remembers: true }
	for (const { name, adapter } of platforms) {
		const leg = plainestReply(adapter)
		if (!leg) continue
		for (const { language, reply } of replies) {
			const [loss] = fitReply(reply, leg, context).changes.filter(isLoss)
			if (!loss) continue
			const here = [...at, 'late', 'reply', ...(language === undefined ? [] : [language])]
			issues.error(here, `does not fit ${name} as it is (${loss.did} ${loss.path}), which "policy": "strict" requires`)
		}
	}
}

function describeNoPush(platform: string): string {
	return `cannot be "push": ${platform} has no API for it, or its options do not name the address of that API`
}

function resolvePlatforms(given: Given, at: Path, context: ConfigContext, issues: ConfigIssues): NamedAdapter[] {
	const { platform, options = {} } = given
	const optionsAt = [...at, 'options']
	if (platform === undefined) return []
	if (typeof platform === 'string') {
		const adapter = resolveAdapter(platform, options, [...at, 'platform'], optionsAt, context, issues)
		return adapter ? [{ name: platform, adapter }] : []
	}
	for (const name of Object.keys(options)) {
		if (!platform.includes(name)) issues.error([...optionsAt, name], describeStrayOption(name, platform, context))
	}
	const adapters = platform.flatMap((name, i) => {
		const here = [...at, 'platform', i]
		if (platform.indexOf(name) < i) {
			issues.error(here, 'is listed twice')
			return []
		}
		const adapter = resolveAdapter(name, options[name], here, [...optionsAt, name], context, issues)
		if (adapter && platform.length > 1 && !adapter.recognises) {
			issues.error(here, 'cannot share a URL: this adapter cannot recognise its own calls')
		}
		return adapter ? [{ name, adapter }] : []
	})
	// A call is authenticated before its format is known.
	if (adapters.some(({ adapter }) => adapter.auth?.scheme !== adapters[0]?.adapter.auth?.scheme)) {
		issues.error([...at, 'platform'], 'these adapters authenticate calls in different ways; give each its own route')
	}
	return adapters
}

function describeStrayOption(option: string, platforms: readonly string[], { adapters }: ConfigContext): string {
	if (adapters.some(({ name }) => name === option)) return 'is not a platform of this route'
	const owner = platforms.find((name) =>
		keysOf(adapters.find((factory) => factory.name === name)?.options).includes(option),
	)
	const example = `"options": { "${owner ?? platforms[0]}": { … } }`
	const others = platforms.length > 1 ? `several platforms (${platforms.join(', ')})` : 'a list of platforms'
	return `this route has ${others}; put the option under the name of one, for example ${example}`
}

const pathForm = /^(?:\/[\w.~-]+)+$/
const gatewayPaths = ['/-', '/healthz', '/readyz']

/** Adds an error for a path that no route can have. */
export function checkPath(path: string, at: Path, issues: ConfigIssues): void {
	if (!pathForm.test(path) || path.split('/').some((segment) => segment === '.' || segment === '..')) {
		issues.error(at, 'must look like "/shop/web": segments of letters, digits and -._~, no query, no trailing slash')
	} else if (gatewayPaths.some((taken) => path === taken || path.startsWith(`${taken}/`))) {
		issues.error(at, 'is reserved for the gateway')
	}
}

function checkUniqueness(entries: readonly Entry[], issues: ConfigIssues): void {
	const names = new Map<string, Path>()
	const paths = new Map<string, { at: Path; route: Route | undefined }>()
	for (const { at, given, route } of entries) {
		const { name, path } = given
		if (name !== undefined && names.has(name)) issues.error([...at, 'name'], 'is already the name of another route')
		if (path !== undefined && paths.has(path)) issues.error([...at, 'path'], 'is already the path of another route')
		if (name !== undefined) names.set(name, at)
		if (path !== undefined) paths.set(path, { at, route })
	}
	for (const [path, { at }] of paths) {
		const above = paths.get(path.slice(0, path.lastIndexOf('/')))?.route
		if (above && above.secrets.length > 0 && !above.platforms[0].adapter.auth) {
			issues.error([...at, 'path'], `is where route "${above.name}" expects its secret`)
		}
	}
}
