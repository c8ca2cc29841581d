/** Makes the upstream of the configuration into the one the gateway calls. */
import type { Adapter, AdapterFactory } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import { keysOf } from '../schema/index.ts'
import { createConcurrencyLimit, createEndpoint, mayBePublic, type Upstream } from '../upstream/index.ts'
import type { ConfigIssues, Path } from './issues.ts'
import * as schema from './schema.ts'
import { type Environment, secretOf, secretsOf, signingKeyOf } from './secrets.ts'

/** What a configuration is read against. */
export interface ConfigContext {
	readonly adapters: readonly AdapterFactory[]
	/** Where secrets stand. */
	readonly env: Environment
	/** The gateway listens on this machine only, so that a route needs no secret. */
	readonly loopback: boolean
	/** The upstream behind `builtin:demo`. Absent: there is none. */
	readonly demo?: Runtime['send']
}

const demoUrl = 'builtin:demo'

/** The format of the gateway's own JSON. */
const ownFormat = 'canonical'

/** Milliseconds: platforms are known to wait for ten seconds, and the answer has to travel back. */
const defaultTimeout = 9000

/** Calls under way at once: at 100 ms each, five thousand a second. */
const defaultConcurrency = 500

// Names that HTTP/1.1 keeps for one connection, that frame the message, or that the gateway writes itself.
const keptNames = new Set([
	...['connection', 'content-length', 'expect', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
	...['transfer-encoding', 'upgrade', 'accept', 'accept-encoding', 'content-type', 'user-agent', 'cdn-loop'],
	...['webhook-id', 'webhook-signature', 'webhook-timestamp'],
])
// RFC 9110, section 5.6.2.
const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/
// Beyond ASCII a header's value has no agreed encoding.
const fieldValue = /^[\t\x20-\x7e]*$/

/** Undefined when it cannot be used; what is wrong with it are mistakes. */
export function resolveUpstream(
	value: unknown,
	at: Path,
	context: ConfigContext,
	findings: ConfigIssues,
): Upstream | undefined {
	const object = findings.object(value, at, typeof value === 'string' ? 'must be { "url": "…" }' : undefined)
	if (!object) return undefined
	const given = findings.members(schema.Upstream, object, at)
	const { env } = context
	const { secrets = [], headers = {}, sign = [] } = given
	const name = given.adapter ?? ownFormat
	const demo = given.url === demoUrl
	const onlyPublic = given.public ?? false
	const url = demo ? demoUrl : given.url && addressOf(given.url, onlyPublic, [...at, 'url'], findings)
	const adapter = adapterOf(name, given.options, [...at, 'adapter'], [...at, 'options'], context, findings)
	const backup = given.backup && addressOf(given.backup, onlyPublic, [...at, 'backup'], findings)
	if (demo && given.backup !== undefined) findings.issue([...at, 'backup'], `cannot be set for ${demoUrl}`)
	if (demo && onlyPublic) findings.issue([...at, 'public'], `cannot be set for ${demoUrl}`)
	if (demo && !context.demo) findings.issue([...at, 'url'], `this gateway has no ${demoUrl}`)
	if (demo && name !== ownFormat) findings.issue([...at, 'adapter'], `must be ${ownFormat} for ${demoUrl}`)

	const keys: readonly schema.Secret[] = 'secrets' in sign ? sign.secrets : sign
	const keysAt = 'secrets' in sign ? [...at, 'sign', 'secrets'] : [...at, 'sign']
	const resolved = {
		name,
		secrets: secretsOf(secrets, [...at, 'secrets'], env, findings),
		headers: headersOf(headers, [...at, 'headers'], env, findings),
		timeout: given.timeout ?? defaultTimeout,
		concurrencyLimit: createConcurrencyLimit(given.concurrency ?? defaultConcurrency),
		onlyPublic,
		signingKeys: keys.flatMap((key, i) => signingKeyOf(key, [...keysAt, i], env, findings) ?? []),
		...(demo && context.demo && { send: context.demo }),
	}
	if (!adapter || !url) return undefined
	return { ...resolved, adapter, endpoints: [createEndpoint(url), ...(backup ? [createEndpoint(backup)] : [])] }
}

/** The adapter of that name with its options; undefined when there is none or its options are not as it has them. */
export function adapterOf(
	name: string,
	options: unknown,
	nameAt: Path,
	optionsAt: Path,
	{ adapters }: ConfigContext,
	findings: ConfigIssues,
): Adapter | undefined {
	const factory = adapters.find((each) => each.name === name)
	if (!factory) {
		return findings.issue(nameAt, `no such adapter; available: ${adapters.map((each) => each.name).join(', ')}`)
	}
	const given = options ?? {}
	if (isNamed(name, given) && !keysOf(factory.options).includes(name)) {
		return findings.issue(
			[...optionsAt, name],
			`there is only one format here; write its options directly, without "${name}"`,
		)
	}
	return findings.parse(factory.options, given, optionsAt) === undefined ? undefined : factory.create(given)
}

/** Whether the options stand one level deeper, under the adapter's name, as they do for a list of adapters. */
function isNamed(name: string, options: unknown): boolean {
	return typeof options === 'object' && options !== null && Object.hasOwn(options, name)
}

function addressOf(text: string, onlyPublic: boolean, at: Path, findings: ConfigIssues): string | undefined {
	const url = URL.parse(text)
	if (!url || !/^https?:$/.test(url.protocol)) {
		return findings.issue(at, `must be an absolute http or https URL, or "${demoUrl}"`)
	}
	if (url.username !== '' || url.password !== '') return findings.issue(at, 'must not contain a user name or password')
	if (url.hash !== '') return findings.issue(at, 'must not contain a fragment')
	if (onlyPublic && !mayBePublic(url.hostname)) {
		return findings.issue(at, 'is not a public address, which "public": true requires')
	}
	return url.href
}

function headersOf(
	headers: { readonly [name: string]: string | schema.Secret },
	at: Path,
	env: Environment,
	findings: ConfigIssues,
): (readonly [name: string, value: string])[] {
	const seen = new Set<string>()
	return Object.entries(headers).flatMap(([written, given]) => {
		const here = [...at, written]
		const name = written.toLowerCase()
		if (!token.test(name)) findings.issue(here, 'is not a valid header name')
		else if (keptNames.has(name)) findings.issue(here, 'is set by the gateway itself')
		else if (seen.has(name)) findings.issue(here, 'is already set in a different case')
		seen.add(name)
		const value = typeof given === 'string' ? given : secretOf(given, here, env, findings)
		if (value === undefined) return []
		if (!fieldValue.test(value)) findings.issue(here, 'the value must be ASCII without control characters')
		return [[name, value] as const]
	})
}
