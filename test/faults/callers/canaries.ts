/** Secrets are put wherever possible, everything is made to fail, and then all output is searched for them. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync } from 'node:zlib'
import type { Fields, WireRequest, WireResponse } from '../../../src/format/index.ts'
import { environment, program, StartFailed } from '../../harness/gateway.ts'
import { type Call, json, jsonType, says, statusOnly } from '../../harness/http.ts'
import { answered, notifying, oneWay, own, type Platform, platforms } from '../../harness/platforms.ts'
import { folder } from '../../harness/scope.ts'
import { freePort } from '../../harness/sockets.ts'
import type { Script } from '../../harness/upstream.ts'
import { until } from '../../until.ts'
import { type Row, type Trial, unless } from '../row.ts'
import { nth } from '../turns.ts'

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
/** A word that stands nowhere else, and is the same in a URL, in JSON and in a header. */
const canary = (name: string): string => `canary${hash(name).toString('hex').slice(0, 26)}`

const userText = canary('what a user says')
const secretOf = (name: string): string => canary(`secret of ${name}`)
/** A key of 32 bytes in base64 that has every sign of its alphabet. */
const base64Of = (name: string): string => {
	for (let i = 0; ; i++) {
		const key = hash(`${name} ${i}`).toString('base64')
		if (/\+.*\/|\/.*\+/.test(key)) return key
	}
}

/** Secrets of every alphabet that people make them of. Only those of a header must be ASCII. */
const alphabets: readonly ((name: string) => string)[] = [
	base64Of,
	(name) => `${secretOf(name)} with blanks`,
	(name) => `a&b=c?d#e:f@g!h/i+j%k,l;${secretOf(name)}`,
	(name) => `quo"ted\\back\\\\slash'ed ${secretOf(name)}`,
	secretOf,
	(name) => `sécret 😀 пароль ${secretOf(name)}`,
]
const inAlphabet = (name: string, n: number): string => nth(alphabets, n % alphabets.length)(name)
const variable = (name: string, n: number): string => `${name.toUpperCase().replaceAll('-', '_')}_${n}`

const keys = ['key 1', 'key 2', 'outbox', 'seal 1', 'seal 2'].map(hash)
const [key1, key2, outboxKey, seal1, seal2] = keys.map((key) => key.toString('base64'))
/** The secrets of the routes, two each, by the name of their variable. */
const ofRoutes: { readonly [name: string]: string } = Object.fromEntries(
	platforms.flatMap(({ name, adapter }, i) => {
		const some = adapter.auth?.scheme.startsWith('header:') ? 0 : 2 * i
		return [1, 2].map((n) => [variable(name, n), inAlphabet(`${name} ${n}`, some + n)] as const)
	}),
)
/** Every secret of the gateway. */
const env: { readonly [name: string]: string } = {
	...ofRoutes,
	...{ UPSTREAM: base64Of('the upstream'), HEADER: inAlphabet('a header', 2), OUTBOX: `${outboxKey}` },
	...{ KEY_1: `whsec_${key1}`, KEY_2: `whsec_${key2}`, SEAL_1: `${seal1}`, SEAL_2: `${seal2}` },
}
const upstreamToken = base64Of('the upstream’s URL')
/** What a platform signs with its secret, and what a caller of its own holds: none of ours. */
const foreign = [
	secretOf('a bearer'),
	secretOf('a cookie'),
	secretOf('a token in the body'),
	secretOf('a named secret'),
] as const
const [bearer, cookie, inBody, named] = foreign

const inHex = (bytes: Buffer, before: string): string =>
	bytes.toString('hex').replace(/../g, (digits) => before + digits)
const unpadded = (text: string): string => text.replace(/=+$/, '')

/** What URLs, forms, JSON and base64 make of a secret. */
const spellings: readonly ((secret: string) => string)[] = [
	(secret) => secret,
	encodeURIComponent,
	(secret) => encodeURIComponent(secret).replace(/%../g, (escaped) => escaped.toLowerCase()),
	(secret) => encodeURIComponent(encodeURIComponent(secret)),
	encodeURI,
	(secret) => inHex(Buffer.from(secret), '%'),
	(secret) => new URLSearchParams([['', secret]]).toString().slice(1),
	(secret) => JSON.stringify(secret).slice(1, -1),
	(secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
	(secret) => secret.replaceAll('/', '\\/'),
	(secret) => inHex(Buffer.from(secret, 'utf16le').swap16(), '').replace(/..../g, (unit) => `\\u${unit}`),
	(secret) => unpadded(Buffer.from(secret).toString('base64')),
	(secret) => unpadded(Buffer.from(secret).toString('base64url')),
	(secret) => unpadded(Buffer.from(`ab${secret}c`).toString('base64')),
]

/** What must not be found: secrets in every spelling, and as JSON has that spelling in a text. */
const spelled = (some: readonly string[]): string[] => {
	const all = some.flatMap((secret) => spellings.map((spell) => spell(secret)))
	return [...new Set(all.flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]))]
}
const ours = [...Object.values(ofRoutes), ...[env.UPSTREAM, env.HEADER, upstreamToken].map(String)]
const secrets: readonly string[] = [
	...spelled([...ours, ...foreign]),
	...[...ours, ...foreign].map((secret) => Buffer.from(secret).toString('hex')),
	...keys.flatMap((key) => [key.toString('hex'), key.toString('base64'), key.toString('base64url')]),
]
/** As bytes that are read as Latin-1. */
const inBytes = (texts: readonly string[]): string[] => texts.map((text) => Buffer.from(text).toString('latin1'))
const secretBytes = [
	...inBytes([...ours, ...foreign].flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])),
	...keys.map((key) => key.toString('latin1')),
]

/** What the upstream does, one after the other. */
const behaviours: readonly Script[] = [
	() => json(says(userText)),
	() => json({ messages: [{ type: userText }] }),
	() => json({ messages: [{ type: 'text', text: userText, odd: userText }] }),
	() => ({ status: 200, headers: jsonType, body: `<html>${userText}</html>` }),
	() => ({ status: 200, headers: jsonType, body: `{"messages":"${userText}` }),
	() => statusOnly(500),
	() => statusOnly(302),
	() => json(says('x'.repeat(1_200_000))),
	(_, { gone }) => gone.then(() => undefined),
]

export const canaries: Row = {
	id: 'D22',
	fault: 'Secrets in every header, query, path and field, while everything fails in every way',
	demand:
		'0 secrets in the output, in spans, in the metrics, in answers and their headers, in calls to the upstream, or in the database; 0 words of a user in the output, in spans, in the metrics, in errors, or in the encrypted database',
	async run(trial) {
		let behave: Script = () => json(says('Hello'))
		const upstream = await trial.upstream((...to) => behave(...to))
		const file = join(folder(trial), 'outbox.db')
		const metricsPort = await freePort()
		const config = configTo(upstream.url, file, metricsPort)
		const gateway = await trial.start(config, { env, node: ['--import', spanPrinter] })

		const answers: WireResponse[] = []
		const take = async (call: Call): Promise<void> => {
			answers.push(await gateway.send(call))
		}
		for (const platform of platforms) {
			behave = () => json(says('Hello'))
			for (const call of await hostile(platform, trial.at(10, 60, 200))) await take(call)
			for (const call of await carrying(platform, trial.at(3, 1, 1))) await take(call)
			for (behave of behaviours) await take(await proven(platform, eachField(platform.wire, 0)[0]))
		}
		const sealed = upstream.calls.flatMap(({ body }) => JSON.parse(body).turn?.replyUrl?.split('/-/reply/')[1] ?? [])
		for (const token of sealed.slice(-trial.at(20, 60, 200))) {
			for (const call of replying(token)) await take(call)
		}
		const paths = [
			'/healthz',
			'/readyz',
			...platforms.map(({ name }) => `/-/carries/${name}/${encodeURIComponent(`${env[variable(name, 1)]}`)}`),
		]
		for (const path of paths) await take({ method: 'GET', path })
		const large = await Promise.all(oneWay.flatMap((platform) => largeCalls(platform)))
		const taken: number[] = []
		for (const call of large) taken.push((await gateway.send(call)).status)
		// So many failures in a row open the circuit, which is told with the address of the upstream.
		behave = () => statusOnly(500)
		for (let i = 0; i < 8; i++) await take(await proven(nth(answered, 0)))
		// The outbox gives up meanwhile on what it was told last.
		const given = () => gateway.lines.filter(({ msg, dead }) => msg === 'delivery' && dead === true).length
		await until(() => given() > 0, 500)
		const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
		const database = readdirSync(dirname(file)).map((name) => readFileSync(join(dirname(file), name), 'latin1'))
		const stored = await command(trial, config, 'list', '--limit', '100000')
		await gateway.end()

		const output = gateway.written() + stored + (await startsThatFail(trial, config))
		const { calls } = upstream
		const told = calls.map(({ headers, body }) =>
			JSON.stringify([body, headers.filter(([name]) => name !== 'authorization')]),
		)
		const raw = calls.map(({ body }) => JSON.stringify(JSON.parse(body).turn?.raw ?? ''))
		const refusals = answers.filter(({ status }) => status >= 400)
		const { nonces, inClear } = encryptionOf(file)
		const found = {
			'a secret in the output': count([output], secrets),
			'a secret in an answer': count(answers.map(whole), secrets),
			'a secret in the database': count(database, secretBytes),
			'a secret in what the upstream was told': count(told, spelled(ours)),
			'a secret of a route in the address of the upstream': count(
				calls.map(({ path }) => path),
				spelled(Object.values(ofRoutes)),
			),
			'a secret of a platform in the original call': count(raw, [named]),
			'a secret in the metrics': count([metrics], secrets),
			'a URL for replies in the metrics': count([metrics], sealed),
			'what a user said in the metrics': count([metrics], [userText]),
			'a URL for replies in the output': count([output], sealed),
			'a URL for replies in an answer': count(answers.map(whole), sealed),
			'what a user said in the output': count([output], [userText]),
			'what a user said in an error': count(refusals.map(whole), [userText]),
			'what a user said in the encrypted database': count(database, [userText]),
			'an event that is not encrypted': inClear,
			'a nonce that encrypts two events': nonces.length - new Set(nonces).size,
		}
		const times = Object.values(found).reduce((sum, each) => sum + each, 0)
		return {
			reached: `${Object.keys(env).length + 1 + foreign.length} secrets in ${spellings.length} spellings, ${answers.length} calls of which ${refusals.length} failed, ${told.length} calls to the upstream, ${output.length} bytes of output, ${database.join('').length} of database: ${times} found`,
			broken: [
				...Object.entries(found).flatMap(([what, times]) => unless(times === 0, `${what}, ${times} times`)),
				// Else nothing was looked for where it can be.
				...unless(count(told, [userText]) > 0, 'the upstream was told nothing of what a user said'),
				...unless(
					calls.every(({ path }) => path.includes(encodeURIComponent(`${env.UPSTREAM}`))),
					'the upstream did not get its own secret',
				),
				...unless(sealed.length >= platforms.length, `only ${sealed.length} URLs for replies were told`),
				...unless(raw.join().includes('[redacted]'), 'no original call was told'),
				...unless(output.includes('"dragoman.turn.id"'), 'there was no trace'),
				...unless(
					calls.some(({ headers }) => headers.some(([name]) => name === 'traceparent')),
					'the upstream was told no trace',
				),
				...unless(/^dragoman_changes_total\{.* [1-9]/m.test(metrics), 'nothing was measured'),
				...unless(
					taken.every((status) => status === 200),
					`large events were refused: ${taken}`,
				),
				...unless(
					gateway.lines.some(({ state }) => state === 'circuit open'),
					'the circuit was never open',
				),
				...unless(nonces.length >= 100, `only ${nonces.length} events were encrypted`),
				...unless(database.join('').length >= 10_000, 'nothing was stored'),
				...unless(stored.includes(notifying.name), 'nothing was listed of what was stored'),
			],
		}
	},
}

function configTo(url: string, file: string, metricsPort: number) {
	const secretsOf = (name: string) => [1, 2].map((n) => ({ env: variable(name, n) }))
	return {
		upstream: {
			...{ url: `${url}/bot?key=${encodeURIComponent(upstreamToken)}`, timeout: 100, secrets: [{ env: 'UPSTREAM' }] },
			...{ headers: { authorization: { env: 'HEADER' } }, sign: [{ env: 'KEY_1' }, { env: 'KEY_2' }] },
		},
		...{ publicUrl: 'https://gateway.example', replyUrl: { keys: [{ env: 'SEAL_1' }, { env: 'SEAL_2' }] } },
		metrics: { port: metricsPort },
		outbox: { file, key: { env: 'OUTBOX' }, schedule: ['0s', '20ms'], retention: { delivered: '1h' } },
		routes: platforms.map((each) => each.route({ secrets: secretsOf(each.name), raw: true, debug: true })),
	}
}

/** A call with the n-th secret of its route. */
function proven(platform: Platform, wire?: WireRequest, n = 1): Promise<Call> {
	return platform.prove(`${env[variable(platform.name, n)]}`, wire)
}

const headerNames =
	`authorization proxy-authorization cookie x-api-key x-hook-secret referer user-agent forwarded x-forwarded-for
	x-request-id traceparent webhook-id webhook-signature origin from`.split(/\s+/)

const inPath = encodeURIComponent
// A header has no place for other letters.
const inHeader = (secret: string): string => (/^[ -~]*$/.test(secret) ? secret : encodeURIComponent(secret))

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
/** Its spans are part of what it writes. */
const spanPrinter = new URL('../../harness/print-spans.ts', import.meta.url).href

/** Calls with secrets where they belong and where they do not. */
async function hostile(platform: Platform, fields: number): Promise<Call[]> {
	const { name, wire } = platform
	const ours = `${env[variable(name, 1)]}`
	const other = `${
		env[
			variable(
				nth(
					platforms.filter((each) => each !== platform),
					0,
				).name,
				1,
			)
		]
	}`
	const right = await proven(platform)
	const bare: Call = { ...wire, path: `/${name}` }
	const add = (call: Call, ...more: Fields): Call => ({ ...call, headers: [...(call.headers ?? []), ...more] })
	const ask = (call: Call, ...more: Fields): Call => ({ ...call, query: [...(call.query ?? []), ...more] })
	return [
		...[right, await proven(platform, wire, 2), bare],
		...(await Promise.all([other, `${ours}x`, ours.slice(0, -1)].map((secret) => platform.prove(secret)))),
		...headerNames.map((name) => add(right, [name, name === 'cookie' ? `a=${cookie}` : `Bearer ${bearer}`])),
		...headerNames.map((name) => add(bare, [name, inHeader(ours)])),
		add(right, ['traceparent', traceparent], ['tracestate', `a=${inHeader(ours)}`]),
		// Not our own secret: what stands in no field of the platform's is data, and goes to the upstream.
		...['token', 'secret', 'x', bearer].map((field) => ask(right, [field, bearer], [field, userText])),
		...['token', 'x', other].map((field) => ask(bare, [field, ours])),
		...[`/${name}/${inPath(other)}`, `/${inPath(ours)}`, `/${name}/${inPath(ours)}/${inPath(ours)}`].map((path) => ({
			...bare,
			path,
		})),
		{ ...right, method: 'PATCH' },
		{ ...right, method: 'GET', body: '' },
		...[
			...[`{"${userText}`, userText, `${right.body ?? ''}${' '.repeat(1_100_000)}`, Buffer.from([0xff, 0xfe])],
			`{"token":"${inBody}","password":"${inBody}","a":{"api_key":"${inBody}"}}`,
		].map((body): Call => ({ ...right, body })),
		{ ...right, headers: [['content-type', `text/${userText}`]] },
		add({ ...right, body: gzipSync(`${right.body}`) }, ['content-encoding', 'gzip']),
		...(await Promise.all(eachField(wire, fields).map((changed) => proven(platform, changed)))),
	]
}

/** Calls to a URL for replies, and to one that is nearly the same. */
function replying(token: string): Call[] {
	const call = (body: string, to = token): Call => ({ path: `/-/reply/${to}`, headers: jsonType, body })
	return [
		...[JSON.stringify(says(userText)), `{"${userText}`, JSON.stringify({ messages: [{ type: userText }] })].map(
			(body) => call(body),
		),
		...[token.slice(1), token.slice(0, -1), `${token}/${token}`].map((to) => call(userText, to)),
		{ ...call(JSON.stringify(says(userText))), headers: [...jsonType, ['idempotency-key', token]] },
		{ ...call(JSON.stringify(says(`${userText}${userText}`))), headers: [...jsonType, ['idempotency-key', token]] },
		{ path: `/-/reply/${token}`, method: 'GET' },
		{ path: `/${token}`, body: userText },
	]
}

/** Calls that hold a secret of their route in what the user says, in a URL, and as the name of a member, in one of so many spellings, another one on each platform. */
function carrying(platform: Platform, oneOf: number): Promise<Call[]> {
	const { name, wire } = platform
	const own = [1, 2].map((n) => `${env[variable(name, n)]}`)
	const upstreams = [`${env.UPSTREAM}`, `${env.HEADER}`]
	const begin = platforms.indexOf(platform)
	const some = spellings.filter((_, i) => (begin + i) % oneOf === 0)
	const texts = some.flatMap((spell, i) => [spell(nth(own, i % 2)), spell(nth(upstreams, i % 2))])
	const calls = texts.flatMap((text) => [
		withWords(wire, `see https://gateway.example/in/${text}?a=b`),
		withMembers(withWords(wire, text), [
			[text, text],
			['page', `https://gateway.example/in?token=${text}`],
			[`call me at +49 170, ${text}`, 'now'],
			...['pwd', 'otp', 'pass', 'apiKey1', 'clientSecret', 'x-api-key'].map((name) => [name, named] as const),
		]),
	])
	return Promise.all(calls.map((call) => proven(platform, call)))
}

/** Calls whose users say much. */
function largeCalls(platform: Platform): Promise<Call>[] {
	const sizes = [4000, 8000, 8200, 16_000, 70_000, 900_000]
	return sizes.map((size) => proven(platform, withWords(platform.wire, `${userText} `.repeat(size / 33))))
}

/** The call with other words of the user. */
function withWords(wire: WireRequest, words: string): WireRequest {
	const [said] = eachField(wire, 0, words)
	return said ?? wire
}

/** The call with more members, in its body and in each object of it that holds values of a bot's author; else in its query. */
function withMembers(wire: WireRequest, members: Fields): WireRequest {
	if (wire.body === '') return { ...wire, query: [...wire.query, ...members] }
	if (!wire.body.startsWith('{')) {
		return {
			...wire,
			body: new URLSearchParams(
				[...new URLSearchParams(wire.body), ...members].map(([name, value]) => [name, value]),
			).toString(),
		}
	}
	const open = /^$|attributes|parameters|payload|variables|additional/i
	const add = (key: string, value: unknown): unknown => {
		const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
		return isObject && open.test(key) ? Object.assign({}, value, Object.fromEntries(members)) : value
	}
	return { ...wire, body: JSON.stringify(JSON.parse(wire.body), add) }
}

/** The nonces of everything in the outbox that is encrypted, and how many events are not. */
function encryptionOf(file: string): { nonces: string[]; inClear: number } {
	const database = new DatabaseSync(file, { readOnly: true })
	const rows = database.prepare('SELECT key, payload FROM events').all()
	database.close()
	const encrypted = rows.flatMap(({ key, payload }) => (key !== null && payload instanceof Uint8Array ? [payload] : []))
	return {
		nonces: encrypted.map((bytes) => Buffer.from(bytes.subarray(0, 12)).toString('hex')),
		inClear: rows.length - encrypted.length,
	}
}

/** The call with a text in place of each of its strings, first where the user's words are, then one by one. */
function eachField(wire: WireRequest, most: number, text = `${userText} said so`): WireRequest[] {
	if (!wire.body.startsWith('{')) {
		const fields = [...new URLSearchParams(wire.body)]
		const written = (at: number) =>
			new URLSearchParams(fields.map(([name, value], i) => [name, i === at ? text : value])).toString()
		const message = fields.findIndex(([name]) => name.includes('message'))
		return [message, ...fields.keys()].slice(0, most + 1).map((at) => ({ ...wire, body: written(at) }))
	}
	const isLeaf = (value: unknown) => typeof value !== 'object' || value === null
	const keys: string[] = []
	JSON.stringify(JSON.parse(wire.body), (key, value) => {
		if (isLeaf(value)) keys.push(key)
		return value
	})
	const replaced = (at: number, by: unknown): WireRequest => {
		let i = 0
		const replace = (_: string, value: unknown) => (isLeaf(value) && i++ === at ? by : value)
		return { ...wire, body: JSON.stringify(JSON.parse(wire.body), replace) }
	}
	const words = keys.findIndex((key) => /^(?:text|resolvedQuery|data|question|message|msg)$/.test(key))
	const each = [...keys.keys()].slice(0, most)
	return [
		replaced(words, text),
		...each.map((at) => replaced(at, text)),
		...each.slice(0, most / 4).map((at) => replaced(at, { text })),
	]
}

/** What the program says of configurations that contain the secrets themselves, or to which they are none. */
async function startsThatFail(trial: Trial, config: ReturnType<typeof configTo>): Promise<string> {
	const secret = foreign[0]
	const but = (more: object) => ({ ...config, routes: [own.route(more)] })
	const to = (upstream: object) => ({ ...config, upstream })
	const mistaken: readonly (readonly [config: object, env?: { readonly [name: string]: string }])[] = [
		...[[secret], secret, [{ env: secret }], [{ value: secret }]].map((secrets) => [but({ secrets })] as const),
		[but({ path: `/${secret}?` })],
		[but({ options: { canonical: secret } })],
		[to({ url: `ftp://user:${secret}@127.0.0.1/${secret}` })],
		[to({ url: 'http://127.0.0.1/', headers: { authorization: `${secret}\n` } })],
		[config, { ...env, KEY_1: secret }],
		[config, { ...env, OUTBOX: secret }],
		[config, { ...env, UPSTREAM: ` ${secret}` }],
		[{ ...config, outbox: { file: join(folder(trial), 'none', 'outbox.db'), key: { env: 'OUTBOX' } } }],
	]
	const said = mistaken.slice(-trial.at(4, 20, 20)).map(async ([wrong, given = env]) => {
		const failed = await trial.start(wrong, { env: given }).catch((thrown: unknown) => thrown)
		if (failed instanceof StartFailed) return failed.said
		throw new Error(`a mistaken configuration was taken: ${JSON.stringify(wrong).slice(0, 200)}`)
	})
	return (await Promise.all(said)).join('\n')
}

/** What `dragoman outbox` writes. */
function command(trial: Trial, config: object, ...args: string[]): Promise<string> {
	const file = join(folder(trial), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	return new Promise((done) => {
		const options = { env: { ...environment, DRAGOMAN_CONFIG: file, ...env }, maxBuffer: 1e8 }
		execFile(process.execPath, [program, 'outbox', ...args], options, (_error, out, err) => done(out + err))
	})
}

function whole({ headers, body }: WireResponse): string {
	return `${JSON.stringify(headers)} ${body}`
}

function count(texts: readonly string[], needles: readonly string[]): number {
	return texts.reduce((sum, text) => sum + needles.filter((needle) => text.includes(needle)).length, 0)
}
