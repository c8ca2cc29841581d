/** The configuration: what it becomes, and that every mistake in it is named by its path, without a value. */
import { readFile } from 'node:fs/promises'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { adapters as all } from '../adapters/index.ts'
import { describeConfig } from '../scripts/config-words.ts'
import { Config, type ConfigContext, ConfigError, readConfig } from '../src/config/index.ts'
import { type Adapter, defineAdapter, type Push, queryToken } from '../src/format/index.ts'
import { demo } from '../src/upstream/index.ts'

const canary = 'canary-of-a-secret-value'
const sealKey = Buffer.alloc(32, 9)
const seal = sealKey.toString('base64')
const key = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** An adapter of JSON that differs in what configuration looks at. */
function adapter(name: string, differs: Partial<Adapter> = {}) {
	return defineAdapter({
		name,
		options: v.strictObject({ text: v.optional(v.string()), most: v.optional(v.pipe(v.number(), v.maxValue(5))) }),
		examples: [{}],
		create: () => ({ ...canonical.create(), ...differs }),
	})
}

const { carries, decode, encode } = canonical.create().event
/** Whether there is one is all that configuration looks at. */
const push: Push = {
	carries: {},
	address: () => undefined,
	target() {
		throw new Error('nothing is pushed here')
	},
}
const shares = { recognises: () => true, auth: queryToken('token') }
const adapters = [
	canonical,
	adapter('plain'),
	adapter('one', shares),
	adapter('two', { ...shares, auth: queryToken('token') }),
	adapter('other', { ...shares, auth: queryToken('key') }),
	defineAdapter({ ...canonical, name: 'bare', create: () => ({ ...canonical.create(), ...shares }) }),
	adapter('segment', { recognises: () => true }),
	adapter('pushed', { push }),
	adapter('deaf', { event: { carries, decode, encode } }),
	adapter('brief', {
		reply(event) {
			const leg = canonical.create().reply(event)
			return leg && { ...leg, carries: { 'reply.text': { chars: 20 } } }
		},
	}),
]

const context: ConfigContext = {
	adapters,
	env: {
		SECRET: canary,
		SECOND: `${canary}-2`,
		SHORT: 'short',
		EMPTY: '',
		BLANK: `${canary}\n`,
		KEY: key,
		ODD: 'é',
		SEAL: seal,
	},
	loopback: false,
	demo,
}

const secrets = [{ env: 'SECRET' }]
const route = { name: 'shop', path: '/shop', platform: 'plain', secrets }
const upstream = { url: 'https://backend.example/bot?x=1' }

function mistakesOf(config: unknown, differs: Partial<ConfigContext> = {}): readonly string[] {
	try {
		readConfig(config, { ...context, ...differs })
	} catch (thrown) {
		if (thrown instanceof ConfigError) return thrown.mistakes
		throw thrown
	}
	return []
}

test('a configuration becomes routes', () => {
	const { routes, warnings } = readConfig(
		{
			$schema: './gateway.schema.json',
			upstream: {
				...upstream,
				secrets: [{ env: 'SECOND' }],
				headers: { 'X-Team': 'bots', Authorization: { env: 'SECRET' } },
				sign: { secrets: [{ env: 'KEY' }] },
			},
			routes: [
				{ ...route, platform: ['one', 'two'], options: { two: { text: 'question' } }, debug: true },
				{ ...route, name: 'own', path: '/own/deep', upstream: { url: 'http://127.0.0.1:9000', timeout: 500 } },
			],
		},
		context,
	)
	expect(warnings).toEqual([])
	expect(routes).toMatchObject([
		{
			name: 'shop',
			path: '/shop',
			platforms: [{ name: 'one' }, { name: 'two' }],
			secrets: [canary],
			policy: 'degrade',
			failure: [],
			debug: true,
			raw: false,
			upstream: {
				name: 'canonical',
				endpoints: [{ url: 'https://backend.example/bot?x=1' }],
				secrets: [`${canary}-2`],
				headers: [
					['x-team', 'bots'],
					['authorization', canary],
				],
				timeout: 9000,
				signingKeys: [new Uint8Array(32).fill(7)],
			},
		},
		{ name: 'own', upstream: { endpoints: [{ url: 'http://127.0.0.1:9000/' }], timeout: 500, signingKeys: [] } },
	])
	expect(routes[0]?.upstream.send).toBeUndefined()
})

test('a public URL is for all routes or for one, and keeps its path', () => {
	const own = { ...route, name: 'own', path: '/own', publicUrl: 'http://127.0.0.1:8080' }
	const publicUrl = 'https://bots.example/gateway/'
	const { routes, warnings } = readConfig({ upstream, publicUrl, routes: [route, own] }, context)
	expect(routes.map((each) => each.publicUrl)).toEqual(['https://bots.example/gateway', 'http://127.0.0.1:8080'])
	expect(warnings).toEqual([])
})

test('keys for reply URLs are for all routes, and expire by default when an accepted event does', () => {
	const settings = (replyUrl: object) =>
		readConfig({ upstream, publicUrl: 'https://bots.example', replyUrl, routes: [route] }, context).routes[0]?.replyUrl
	const keys = [{ env: 'SEAL' }]
	expect(settings({ keys })).toEqual({ keys: [new Uint8Array(sealKey)], expiry: 3 * 86_400_000 })
	expect(settings({ keys: [...keys, ...keys], expiry: '1m' })).toMatchObject({ keys: { length: 2 }, expiry: 60_000 })
})

test('where a backend could send replies by itself, and is not told where to, the start says so once', () => {
	const pushed = { ...route, platform: 'pushed', name: 'chat', path: '/chat' }
	const warningsOf = (
		more: object,
		routes: readonly object[] = [route, pushed, { ...pushed, name: 'b', path: '/b' }],
	) => readConfig({ upstream, ...more, routes }, context).warnings
	const [publicUrl, replyUrl] = ['https://bots.example', { keys: [{ env: 'SEAL' }] }]
	const warning = (what: string, names: string) =>
		`${what}: is not set, so events of these routes have no turn.replyUrl: ${names}`
	expect(warningsOf({})).toEqual([warning('replyUrl', 'chat, b')])
	expect(warningsOf({ publicUrl })).toEqual([warning('replyUrl', 'chat, b')])
	expect(warningsOf({ replyUrl })).toEqual([warning('publicUrl', 'shop, chat, b')])
	expect(warningsOf({ replyUrl }, [{ ...route, publicUrl }, pushed])).toEqual([warning('publicUrl', 'chat')])
	expect(warningsOf({ publicUrl, replyUrl })).toEqual([])
	expect(warningsOf({}, [route])).toEqual([])
	expect(warningsOf({ upstream: { ...upstream, adapter: 'deaf' } })).toEqual([])
})

test('a failure reply may be one reply, or one per language with * for all others', () => {
	const sorry = (text: string) => ({ messages: [{ type: 'text', text }] })
	const whole = (text: string) => ({ ...sorry(text), attributes: { session: {}, user: {} } })
	const failureOf = (failure: unknown) =>
		readConfig({ upstream, routes: [{ ...route, failure }] }, context).routes[0]?.failure
	expect(failureOf(sorry('Sorry'))).toEqual([{ reply: whole('Sorry') }])
	expect(failureOf({ de: sorry('Leider'), '*': sorry('Sorry') })).toEqual([
		{ reply: whole('Sorry') },
		{ language: 'de', reply: whole('Leider') },
	])
})

test('a public upstream may have a public address or a name', () => {
	const urls = ['https://backend.example/', 'http://8.8.8.8:9000/bot', 'http://[2606:4700::1111]/', 'http://backend/']
	for (const url of urls) {
		const { routes } = readConfig({ upstream: { url, backup: url, public: true }, routes: [route] }, context)
		expect(routes[0]?.upstream.onlyPublic).toBe(true)
	}
	const own = { url: 'http://localhost:9000/', public: false }
	expect(readConfig({ upstream: own, routes: [route] }, context).routes[0]?.upstream.onlyPublic).toBe(false)
})

test('the embedded upstream answers in place of the network', () => {
	const { routes } = readConfig({ upstream: { url: 'builtin:demo' }, routes: [route] }, context)
	expect(routes[0]?.upstream.send).toBe(demo)
})

test('on localhost, and on an open route, no secret is needed', () => {
	const { secrets: _, ...bare } = route
	expect(mistakesOf({ upstream, routes: [bare] }, { loopback: true })).toEqual([])
	expect(mistakesOf({ upstream, routes: [{ ...bare, open: true }] })).toEqual([])
})

test('a short secret is a warning', () => {
	const { warnings } = readConfig({ upstream, routes: [{ ...route, secrets: [{ env: 'SHORT' }] }] }, context)
	expect(warnings).toEqual(['routes[0].secrets[0].env: the secret has fewer than 16 characters'])
})

test('an upstream in a format without an answer is a warning for each platform that waits for one', () => {
	const silent = defineAdapter({
		...canonical,
		name: 'silent',
		create: () => ({ ...canonical.create(), reply: () => undefined }),
	})
	const warningsOf = (config: unknown, adapters: ConfigContext['adapters']) =>
		readConfig(config, { ...context, adapters, loopback: true }).warnings
	const routes = [
		{ ...route, platform: ['one', 'two'] },
		{ ...route, name: 'quiet', path: '/quiet', platform: 'silent' },
		{ ...route, name: 'own', path: '/own', upstream },
	]
	const told = (name: string) =>
		`routes[0]: users of ${name} get no answer: with these options, silent as the format of an upstream has none`
	const config = { upstream: { ...upstream, adapter: 'silent' }, routes }
	expect(warningsOf(config, [...adapters, silent])).toEqual([told('one'), told('two')])

	const external = { ...upstream, adapter: 'pingstreams', options: { dialect: 'external' } }
	const platforms = all.map(({ name }, i) => ({ name, path: `/${i}`, platform: name }))
	const warned = warningsOf({ upstream: external, routes: platforms }, all)
	// One-way platforms have no answer to lose.
	expect(warned.length).toBe(platforms.length - 1)
	expect(warned.join('\n')).not.toContain('users of snatchbot-webhook')
	expect(warningsOf({ upstream: { ...external, options: { dialect: 'server' } }, routes: platforms }, all)).toEqual([])
})

const { secrets: _, ...bare } = route
const second = { ...route, name: 'second', path: '/second' }
const words = 'must look like "/shop/web": segments of letters, digits and -._~, no query, no trailing slash'

test.each<[mistake: string, config: unknown]>([
	['must be an object', []],
	['routes: is missing', { upstream }],
	['routes: must be a list of at least one route', { upstream, routes: [] }],
	['backend: no such key', { upstream, routes: [route], backend: 1 }],
	['routes[0]: must be an object', { upstream, routes: ['shop'] }],
	['routes[0].name: is missing', { upstream, routes: [{ ...route, name: undefined }] }],
	[
		'routes[0].name: must be of lower-case letters, digits and hyphens',
		{ upstream, routes: [{ ...route, name: 'My shop' }] },
	],
	['routes[0].secret: no such key; did you mean "secrets"?', { upstream, routes: [{ ...route, secret: 'x' }] }],
	['routes[0].policy: must be "degrade" or "strict"', { upstream, routes: [{ ...route, policy: 'lax' }] }],
	['routes[0].platform: must be a string or a list', { upstream, routes: [{ ...route, platform: 5 }] }],
	['routes[0].platform[0]: must be a string', { upstream, routes: [{ ...route, platform: [5] }] }],
	['routes[0].platform: must not be empty', { upstream, routes: [{ ...route, platform: [] }] }],
	[
		'routes[0].platform: no such adapter; available: canonical, plain, one, two, other, bare, segment, pushed, deaf, brief',
		{ upstream, routes: [{ ...route, platform: 'telephone' }] },
	],
	...(
		[
			['pla', '"plain"'],
			['PLAIN', '"plain"'],
			['cannonical', '"canonical"'],
			['segmnt', '"segment"'],
		] as const
	).map(([platform, meant]): [string, unknown] => [
		`routes[0].platform: no such adapter; did you mean ${meant}?`,
		{ upstream, routes: [{ ...route, platform }] },
	]),
	[
		'routes[0].late.after: must be a number of milliseconds',
		{ upstream, routes: [{ ...route, late: { after: '5s', reply: { messages: [] } } }] },
	],
	['routes[0].maxBody: must be a number of bytes', { upstream, routes: [{ ...route, maxBody: '1MB' }] }],
	[
		'routes[0].failure: must be a reply such as {"messages": [{"type": "text", "text": "…"}]}, or replies by language',
		{ upstream, routes: [{ ...route, failure: 'Sorry' }] },
	],
	[
		'outbox.expiry: must be a duration such as "30m": a whole number and ms, s, m, h or d',
		{ upstream, outbox: { file: 'x', expiry: '3 days' }, routes: [route] },
	],
	['upstream.timeout: must be a number of milliseconds', { upstream: { ...upstream, timeout: '5s' }, routes: [route] }],
	[
		'routes[0].platform[1]: cannot share a URL: this adapter cannot recognise its own calls',
		{ upstream, routes: [{ ...route, platform: ['segment', 'plain'] }] },
	],
	[
		'routes[0].platform: these adapters authenticate calls in different ways; give each its own route',
		{ upstream, routes: [{ ...route, platform: ['one', 'other'] }] },
	],
	[
		'routes[0].platform: these adapters authenticate calls in different ways; give each its own route',
		{ upstream, routes: [{ ...route, platform: ['segment', 'one'] }] },
	],
	['routes[0].platform[1]: is listed twice', { upstream, routes: [{ ...route, platform: ['one', 'one'] }] }],
	['routes[0].options.foo: no such key', { upstream, routes: [{ ...route, options: { foo: 1 } }] }],
	['routes[0].options.most: must be at most 5', { upstream, routes: [{ ...route, options: { most: 9 } }] }],
	[
		'routes[0].options.txt: no such key; did you mean "text"?',
		{ upstream, routes: [{ ...route, options: { txt: 1 } }] },
	],
	['policies: no such key', { upstream, routes: [route], policies: 1 }],
	[
		'routes[0].options.text: this route has several platforms (one, two); put the option under the name of one, for example "options": { "one": { … } }',
		{ upstream, routes: [{ ...route, platform: ['one', 'two'], options: { text: 'question' } }] },
	],
	[
		'routes[0].options.text: this route has several platforms (bare, two); put the option under the name of one, for example "options": { "two": { … } }',
		{ upstream, routes: [{ ...route, platform: ['bare', 'two'], options: { text: 'question' } }] },
	],
	[
		'routes[0].options.text: this route has a list of platforms; put the option under the name of one, for example "options": { "one": { … } }',
		{ upstream, routes: [{ ...route, platform: ['one'], options: { text: 'question' } }] },
	],
	[
		'routes[0].options.plain: is not a platform of this route',
		{ upstream, routes: [{ ...route, platform: ['one', 'two'], options: { plain: {} } }] },
	],
	[
		'routes[0].options.plain: there is only one format here; write its options directly, without "plain"',
		{ upstream, routes: [{ ...route, options: { plain: { text: 'question' } } }] },
	],
	[
		'routes[0].options.two.text: must be a string',
		{ upstream, routes: [{ ...route, platform: ['one', 'two'], options: { two: { text: 1 } } }] },
	],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: 'shop' }] }],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: '/' }] }],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: '/shop/' }] }],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: '/shop?a=b' }] }],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: '/a/../b' }] }],
	[`routes[0].path: ${words}`, { upstream, routes: [{ ...route, path: '/sh%6fp' }] }],
	['routes[0].path: is reserved for the gateway', { upstream, routes: [{ ...route, path: '/-/x' }] }],
	['routes[0].path: is reserved for the gateway', { upstream, routes: [{ ...route, path: '/healthz' }] }],
	['routes[0].path: is reserved for the gateway', { upstream, routes: [{ ...route, path: '/readyz/x' }] }],
	['routes[1].name: is already the name of another route', { upstream, routes: [route, { ...second, name: 'shop' }] }],
	['routes[1].path: is already the path of another route', { upstream, routes: [route, { ...second, path: '/shop' }] }],
	[
		'routes[0].path: is where route "shop" expects its secret',
		{ upstream, routes: [{ ...second, path: '/shop/web' }, route] },
	],
	[
		'routes[0].secrets: is required unless the gateway listens on localhost; add a secret or set "open": true',
		{ upstream, routes: [bare] },
	],
	['routes[0].secrets: must not be empty', { upstream, routes: [{ ...bare, open: true, secrets: [] }] }],
	[
		'routes[0].secrets[0]: must be { "env": "NAME" }: put the secret in an environment variable and its name here',
		{ upstream, routes: [{ ...route, secrets: [canary] }] },
	],
	[
		'routes[0].secrets[0].value: no such key',
		{ upstream, routes: [{ ...route, secrets: [{ env: 'SECRET', value: canary }] }] },
	],
	[
		'routes[0].secrets[1].env: the environment variable GONE is not set',
		{ upstream, routes: [{ ...route, secrets: [...secrets, { env: 'GONE' }] }] },
	],
	...['toString', 'C0FFEE4C0FFEE4C0FFEE4'].map((env): [string, unknown] => [
		'routes[0].secrets[0].env: no environment variable has this name; put the secret in an environment variable and its name here',
		{ upstream, routes: [{ ...route, secrets: [{ env }] }] },
	]),
	...[canary, { env: 'SECRET' }].map((secrets): [string, unknown] => [
		'routes[0].secrets: must be a list such as [{ "env": "NAME" }]: put the secret in an environment variable and its name here',
		{ upstream, routes: [{ ...route, secrets }] },
	]),
	...[key, 5].map((sign): [string, unknown] => [
		'upstream.sign: must be a list such as [{ "env": "NAME" }]: put the secret in an environment variable and its name here',
		{ upstream: { ...upstream, sign }, routes: [route] },
	]),
	[
		'upstream.sign[0]: must be { "env": "NAME" }: put the secret in an environment variable and its name here',
		{ upstream: { ...upstream, sign: [key] }, routes: [route] },
	],
	[
		'upstream.headers.x: must be a string, or { "env": "NAME" } for a secret',
		{ upstream: { ...upstream, headers: { x: 5 } }, routes: [route] },
	],
	[
		'routes[0].secrets[0].env: the variable is empty',
		{ upstream, routes: [{ ...route, secrets: [{ env: 'EMPTY' }] }] },
	],
	[
		'routes[0].secrets[0].env: the variable has leading or trailing white space',
		{ upstream, routes: [{ ...route, secrets: [{ env: 'BLANK' }] }] },
	],
	[
		'routes[0].open: cannot be combined with "secrets"; remove one of the two',
		{ upstream, routes: [{ ...route, open: true }] },
	],
	['routes[0].open: must be true', { upstream, routes: [{ ...route, open: false }] }],
	...['/bot', 'ftp://x/', 'bots.example'].map((publicUrl): [string, unknown] => [
		'publicUrl: must be an absolute http or https URL',
		{ upstream, publicUrl, routes: [route] },
	]),
	[
		'publicUrl: must not contain a user name or password',
		{ upstream, publicUrl: `https://a:${canary}@x/`, routes: [route] },
	],
	...['https://x/?a=b', 'https://x/#a'].map((publicUrl): [string, unknown] => [
		'routes[0].publicUrl: must not contain a query or a fragment',
		{ upstream, routes: [{ ...route, publicUrl }] },
	]),
	['replyUrl: must be an object', { upstream, replyUrl: canary, routes: [route] }],
	['replyUrl.keys: is missing', { upstream, replyUrl: {}, routes: [route] }],
	['replyUrl.keys: must not be empty', { upstream, replyUrl: { keys: [] }, routes: [route] }],
	[
		'replyUrl.keys[0].env: the environment variable SECRET must hold 32 bytes in base64',
		{ upstream, replyUrl: { keys: [...secrets, { env: 'SEAL' }] }, routes: [route] },
	],
	[
		'replyUrl.expiry: must be at least 1m',
		{ upstream, replyUrl: { keys: [{ env: 'SEAL' }], expiry: '59s' }, routes: [route] },
	],
	['routes[0].upstream: is missing, and there is no upstream for all routes', { routes: [route] }],
	['routes[0].upstream.url: is missing', { routes: [{ ...route, upstream: {} }] }],
	[
		'routes[0].upstream.ulr: no such key; did you mean "url"?',
		{ routes: [{ ...route, upstream: { ...upstream, ulr: 1 } }] },
	],
	['upstream: must be { "url": "…" }', { upstream: 'http://x', routes: [route] }],
	...['/bot', 'ftp://x/', 'backend.example', 'builtin:demos'].map((url): [string, unknown] => [
		'upstream.url: must be an absolute http or https URL, or "builtin:demo"',
		{ upstream: { url }, routes: [route] },
	]),
	[
		'upstream.url: must not contain a user name or password',
		{ upstream: { url: `https://a:${canary}@x/` }, routes: [route] },
	],
	['upstream.url: must not contain a fragment', { upstream: { url: 'https://x/#bot' }, routes: [route] }],
	['upstream.concurrency: must be at least 1', { upstream: { ...upstream, concurrency: 0 }, routes: [route] }],
	[
		'upstream.backup: must be an absolute http or https URL, or "builtin:demo"',
		{ upstream: { ...upstream, backup: 'x' }, routes: [route] },
	],
	[
		'upstream.backup: cannot be set for builtin:demo',
		{ upstream: { url: 'builtin:demo', backup: 'http://127.0.0.1:9/' }, routes: [route] },
	],
	...[
		...['http://127.0.0.1:9000/', 'http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/', 'http://127.1./'],
		...['http://LOCALHOST/', 'http://localhost./', 'http://bot.localhost/', 'http://[::1]/', 'http://169.254.169.254/'],
		...['http://[::ffff:127.0.0.1]/', 'http://[64:ff9b::10.0.0.1]/', 'http://[fd00:ec2::254]/', 'http://10。0。0。1/'],
	].flatMap((url): [string, unknown][] => [
		[
			'upstream.url: is not a public address, which "public": true requires',
			{ upstream: { url, public: true }, routes: [route] },
		],
		[
			'upstream.backup: is not a public address, which "public": true requires',
			{ upstream: { ...upstream, backup: url, public: true }, routes: [route] },
		],
	]),
	[
		'upstream.public: cannot be set for builtin:demo',
		{ upstream: { url: 'builtin:demo', public: true }, routes: [route] },
	],
	['upstream.public: must be true or false', { upstream: { ...upstream, public: 'yes' }, routes: [route] }],
	[
		'routes[0].late.after: must be at most 8500: plain does not wait longer',
		{ upstream, routes: [{ ...route, late: { after: 8501, reply: { messages: [] } } }] },
	],
	['routes[0].late.reply: must not be empty', { upstream, routes: [{ ...route, late: { after: 5000, reply: {} } }] }],
	['routes[0].late.reply: is missing', { upstream, routes: [{ ...route, late: { after: 5000 } }] }],
	[
		'routes[0].late.reply.de: does not fit brief as it is (split messages[0].text), which "policy": "strict" requires',
		{
			upstream,
			routes: [
				{
					...{ ...route, platform: 'brief', policy: 'strict' },
					late: {
						after: 5000,
						reply: {
							'*': { messages: [{ type: 'text', text: 'One moment, please' }] },
							de: { messages: [{ type: 'text', text: 'Einen Augenblick, bitte' }] },
						},
					},
				},
			],
		},
	],
	['upstream.timeout: must be at least 1', { upstream: { ...upstream, timeout: 0 }, routes: [route] }],
	// Timers end at once beyond 2^31 - 1 ms.
	['upstream.timeout: must be at most 3600000', { upstream: { ...upstream, timeout: 2_147_483_648 }, routes: [route] }],
	['upstream.timeout: must be a whole number', { upstream: { ...upstream, timeout: 1.5 }, routes: [route] }],
	[
		'upstream.adapter: no such adapter; available: canonical, plain, one, two, other, bare, segment, pushed, deaf, brief',
		{ upstream: { ...upstream, adapter: 'telephone' }, routes: [route] },
	],
	['upstream.options.foo: no such key', { upstream: { ...upstream, options: { foo: 1 } }, routes: [route] }],
	[
		'upstream.adapter: must be canonical for builtin:demo',
		{ upstream: { url: 'builtin:demo', adapter: 'plain' }, routes: [route] },
	],
	[
		'upstream.headers.Host: is set by the gateway itself',
		{ upstream: { ...upstream, headers: { Host: 'x' } }, routes: [route] },
	],
	[
		'upstream.headers.webhook-id: is set by the gateway itself',
		{ upstream: { ...upstream, headers: { 'webhook-id': 'x' } }, routes: [route] },
	],
	[
		'upstream.headers["x y"]: is not a valid header name',
		{ upstream: { ...upstream, headers: { 'x y': '' } }, routes: [route] },
	],
	[
		'upstream.headers.X: is already set in a different case',
		{ upstream: { ...upstream, headers: { x: 'a', X: 'b' } }, routes: [route] },
	],
	...['a\r\nb: c', 'a\0', 'é'].map((value): [string, unknown] => [
		'upstream.headers.x: the value must be ASCII without control characters',
		{ upstream: { ...upstream, headers: { x: value } }, routes: [route] },
	]),
	[
		'upstream.headers.x: the value must be ASCII without control characters',
		{ upstream: { ...upstream, headers: { x: { env: 'ODD' } } }, routes: [route] },
	],
	[
		'upstream.headers.x.env: the environment variable GONE is not set',
		{ upstream: { ...upstream, headers: { x: { env: 'GONE' } } }, routes: [route] },
	],
	[
		'upstream.headers.x.env: must be a string',
		{ upstream: { ...upstream, headers: { x: { env: 5 } } }, routes: [route] },
	],
	...['SECRET', 'SHORT'].map((env): [string, unknown] => [
		'upstream.sign.secrets[0].env: the variable must hold "whsec_" and 24 to 64 bytes in base64',
		{ upstream: { ...upstream, sign: { secrets: [{ env }] } }, routes: [route] },
	]),
	[
		'upstream.sign[1].env: the environment variable GONE is not set',
		{ upstream: { ...upstream, sign: [{ env: 'KEY' }, { env: 'GONE' }] }, routes: [route] },
	],
	[
		'routes[0].failure.messages[0].text: is missing',
		{ upstream, routes: [{ ...route, failure: { messages: [{ type: 'text' }] } }] },
	],
	[
		'routes[0].failure.messages[0].url: must be an absolute address, such as https://example.com/page',
		{ upstream, routes: [{ ...route, failure: { messages: [{ type: 'image', url: '/sorry.png' }] } }] },
	],
	[
		'routes[0].failure.en.messages[0].text: must not be empty',
		{ upstream, routes: [{ ...route, failure: { en: { messages: [{ type: 'text', text: '' }] } } }] },
	],
	['routes[0].failure.en: must be an object', { upstream, routes: [{ ...route, failure: { en: 'Sorry' } }] }],
	[
		'routes[0].failure["no language"]: is not a language tag',
		{ upstream, routes: [{ ...route, failure: { 'no language': {} } }] },
	],
])('%s', (mistake, config) => {
	expect(mistakesOf(config)).toEqual([mistake])
})

test('a gateway without an embedded upstream says so', () => {
	const config = { upstream: { url: 'builtin:demo' }, routes: [route] }
	expect(mistakesOf(config, { demo: undefined })).toEqual(['upstream.url: this gateway has no builtin:demo'])
})

test('all mistakes are listed at once, without values', () => {
	const mistakes = mistakesOf({
		backend: canary,
		upstream: { url: `http://x:${canary}@y`, headers: { host: canary }, sign: [{ env: 'SECRET' }] },
		routes: [
			{ ...route, path: `/${canary}?`, policy: canary, colour: canary, size: canary },
			{ name: 'shop', path: '/b', platform: canary, secrets: [{ env: 'BLANK' }, { env: canary }] },
		],
	})
	expect(mistakes.join('\n')).not.toContain(canary)
	expect(mistakes.map((mistake) => mistake.split(': ')[0])).toEqual([
		'backend',
		'upstream.url',
		'upstream.headers.host',
		'upstream.sign[0].env',
		'routes[0].colour',
		'routes[0].size',
		'routes[0].policy',
		'routes[0].path',
		'routes[1].platform',
		'routes[1].secrets[0].env',
		'routes[1].secrets[1].env',
		'routes[1].name',
	])
})

test('every unknown key of an object inside another is listed', () => {
	const late = { after: 1000, reply: { messages: [] }, anser: 'push', colour: 'red' }
	expect(mistakesOf({ upstream, routes: [{ ...route, late }] }, { loopback: true })).toEqual(
		expect.arrayContaining([
			'routes[0].late.anser: no such key; did you mean "answer"?',
			'routes[0].late.colour: no such key',
		]),
	)
})

test('the schema becomes a JSON Schema in which every member has a description', () => {
	const unexplained: string[] = []
	const walk = (node: unknown, path: string): void => {
		if (typeof node !== 'object' || node === null) return
		for (const [name, member] of Object.entries(node)) walk(member, `${path}.${name}`)
		if (!('properties' in node)) return
		for (const [name, member] of Object.entries(node.properties ?? {})) {
			if (typeof member.description !== 'string' && name !== 'secrets') unexplained.push(`${path}.${name}`)
		}
	}
	walk(describeConfig(toJsonSchema(Config, { target: 'draft-2020-12' })), '')
	expect(unexplained).toEqual([])
})

test('the example of the repository has no mistakes, and starts without any environment', async () => {
	const example: unknown = JSON.parse(await readFile(new URL('../config/gateway.json', import.meta.url), 'utf8'))
	expect(mistakesOf(example, { adapters: all, env: {}, loopback: true })).toEqual([])
})
