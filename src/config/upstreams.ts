/** Resolves an upstream of the configuration into the one the gateway calls. */
import type { Adapter, AdapterFactory } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import { keysOf, namesLike } from '../schema/index.ts'
import { suggestsSecret } from '../turn/index.ts'
import { createConcurrencyLimit, createEndpoint, mayBePublic, type Upstream } from '../upstream/index.ts'
import type { ConfigIssues, Path } from './issues.ts'
import * as schema from './schema.ts'
import { type Environment, readSecret, readSecrets, readSigningKey } from './secrets.ts'

/** What reading a configuration depends on besides the file. */
export interface ConfigContext {
	/** The formats that routes and upstreams can name. */
	readonly adapters: readonly AdapterFactory[]
	/** Holds the secrets. */
	readonly env: Environment
	/** Whether the gateway listens on localhost only, so that routes need no secret. */
	readonly loopback: boolean
	/** The runtime has an outbox, whatever the configuration says. Absent: the one that the configuration sets up. */
	readonly hasOutbox?: true
	/** The upstream behind `builtin:demo`. Absent: this gateway has none. */
	readonly demo?: Runtime['send']
}

const demoUrl = 'builtin:demo'

/** The format of an upstream that names none: the gateway's own JSON. */
const defaultFormat = 'canonical'

/** Milliseconds: some platforms wait for ten seconds, and the answer needs time to travel back. */
const defaultTimeout = 9000

/** Concurrent calls: at 100 ms each, five thousand a second. */
export const defaultConcurrency = 500

// Headers that belong to one connection in HTTP/1.1, that frame the message, or that the gateway sets itself.
const reservedNames = new Set([
	...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
	...['transfer-encoding', 'upgrade', 'accept', 'accept-encoding', 'content-type', 'user-agent', 'cdn-loop'],
	...['webhook-id', 'webhook-signature', 'webhook-timestamp'],
])
// RFC 9110, section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/
// Header values beyond ASCII have no standard encoding.
const fieldValue = /^[\t\x20-\x7e]*$/

/** The upstream. If it cannot be used, adds an error for everything that is wrong and returns undefined. */
export function resolveUpstream(
	value: unknown,
	at: Path,
	context: ConfigContext,
	issues: ConfigIssues,
): Upstream | undefined {
	const object = issues.object(value, at, typeof value === 'string' ? 'must be { "url": "…" }' : undefined)
	if (!object) return undefined
	const given = issues.members(schema.Upstream, object, at)
	const { env } = context
	const { secrets = [], headers = {}, sign = [] } = given
	const name = given.adapter ?? defaultFormat
	const demo = given.url === demoUrl
	const onlyPublic = given.public ?? false
	const url = demo ? demoUrl : given.url && readUrl(given.url, onlyPublic, [...at, 'url'], issues)
	const adapter = resolveAdapter(name, given.options, [...at, 'adapter'], [...at, 'options'], context, issues)
	const backup = given.backup && readUrl(given.backup, onlyPublic, [...at, 'backup'], issues)
	if (demo && given.backup !== undefined) issues.error([...at, 'backup'], `cannot be set for ${demoUrl}`)
	if (demo && onlyPublic) issues.error([...at, 'public'], `cannot be set for ${demoUrl}`)
	if (demo && !context.demo) issues.error([...at, 'url'], `this gateway has no ${demoUrl}`)
	if (demo && name !== defaultFormat) issues.error([...at, 'adapter'], `must be ${defaultFormat} for ${demoUrl}`)

	const keys: readonly schema.Secret[] = 'secrets' in sign ? sign.secrets : sign
	const keysAt = 'secrets' in sign ? [...at, 'sign', 'secrets'] : [...at, 'sign']
	const headerFields = readHeaders(headers, [...at, 'headers'], env, issues)
	const resolved = {
		name,
		secrets: readSecrets(secrets, [...at, 'secrets'], env, issues),
		headers: headerFields,
		hidden: secretHeaders(headers, headerFields),
		timeout: given.timeout ?? defaultTimeout,
		concurrencyLimit: createConcurrencyLimit(given.concurrency ?? defaultConcurrency),
		onlyPublic,
		signingKeys: keys.flatMap((key, i) => readSigningKey(key, [...keysAt, i], env, issues) ?? []),
		...(demo && context.demo && { send: context.demo }),
	}
	if (!adapter || !url) return undefined
	return { ...resolved, adapter, endpoints: [createEndpoint(url), ...(backup ? [createEndpoint(backup)] : [])] }
}

/** The adapter with this name and these options. If either is invalid, adds an error and returns undefined. */
export function resolveAdapter(
	name: string,
	options: unknown,
	nameAt: Path,
	optionsAt: Path,
	{ adapters }: ConfigContext,
	issues: ConfigIssues,
): Adapter | undefined {
	const factory = adapters.find((candidate) => candidate.name === name)
	if (!factory) {
		const names = adapters.map((available) => available.name)
		const meant = namesLike(name, names).map((like) => `"${like}"`)
		const advice = meant.length > 0 ? `did you mean ${meant.join(' or ')}?` : `available: ${names.join(', ')}`
		return issues.error(nameAt, `no such adapter; ${advice}`)
	}
	const given = options ?? {}
	if (isNestedUnder(name, given) && !keysOf(factory.options).includes(name)) {
		return issues.error(
			[...optionsAt, name],
			`there is only one format here; write its options directly, without "${name}"`,
		)
	}
	return issues.parse(factory.options, given, optionsAt) === undefined ? undefined : factory.create(given)
}

/** Whether the options are nested under the adapter's name, as they are for a list of platforms. */
function isNestedUnder(name: string, options: unknown): boolean {
	return typeof options === 'object' && options !== null && Object.hasOwn(options, name)
}

function readUrl(text: string, onlyPublic: boolean, at: Path, issues: ConfigIssues): string | undefined {
	const url = URL.parse(text)
	if (!url || !/^https?:$/.test(url.protocol)) {
		return issues.error(at, `must be an absolute http or https URL, or "${demoUrl}"`)
	}
	if (url.username !== '' || url.password !== '') return issues.error(at, 'must not contain a user name or password')
	if (url.hash !== '') return issues.error(at, 'must not contain a fragment')
	if (onlyPublic && !mayBePublic(url.hostname)) {
		return issues.error(at, 'is not a public address, which "public": true requires')
	}
	return url.href
}

/** Characters from which a header's value from the environment is taken for a secret, whatever its name. */
const secretLength = 16

/** The credentials in headers, without their scheme. */
function secretHeaders(
	written: { readonly [name: string]: string | schema.Secret },
	fields: readonly (readonly [name: string, value: string])[],
): string[] {
	const fromEnv = Object.entries(written).flatMap(([name, value]) =>
		typeof value === 'string' ? [] : [name.toLowerCase()],
	)
	return fields
		.filter(([name, value]) => suggestsSecret(name) || (fromEnv.includes(name) && value.length >= secretLength))
		.map(([, value]) => value.replace(/^(?:basic|bearer|token)\s+/i, ''))
}

function readHeaders(
	headers: { readonly [name: string]: string | schema.Secret },
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): (readonly [name: string, value: string])[] {
	const seen = new Set<string>()
	return Object.entries(headers).flatMap(([written, given]) => {
		const here = [...at, written]
		const name = written.toLowerCase()
		if (!token.test(name)) issues.error(here, 'is not a valid header name')
		else if (reservedNames.has(name)) issues.error(here, 'is set by the gateway itself')
		else if (seen.has(name)) issues.error(here, 'is already set in a different case')
		seen.add(name)
		const value = typeof given === 'string' ? given : readSecret(given, here, env, issues)
		if (value === undefined) return []
		if (!fieldValue.test(value)) issues.error(here, 'the value must be ASCII without control characters')
		return [[name, value] as const]
	})
}
