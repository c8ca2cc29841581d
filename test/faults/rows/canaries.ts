/** Secrets are put wherever one can stand, everything is made to fail, and then all that came out is searched for them. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { WireRequest } from '../../../src/format/index.ts'
import { type Got, type Sent, send } from '../../runtime/http.ts'
import { callOf, type Platform, platforms, routeOf } from '../calls.ts'
import { type Reply, says, startEcho } from '../echo.ts'
import { folder, type StartOptions, startGateway } from '../gateway.ts'
import type { Row, Trial } from '../row.ts'

const program = fileURLToPath(new URL('../../../src/node/main.ts', import.meta.url))

/** A word that stands nowhere else, and is the same in a URL, in JSON and in a header. */
const canary = (name: string): string => `canary${createHash('sha256').update(name).digest('hex').slice(0, 26)}`

const userText = canary('what a user says')
const secretOf = (name: string): string => canary(`secret of ${name}`)

/** The platforms, and the other ways in which one of them proves its calls. */
const tried: readonly Platform[] = platforms.flatMap((platform) => {
	if (platform.name !== 'pingstreams') return [platform]
	const proofs = ['token', 'hook-secret'].map((proof) => ({
		...platform,
		name: `${platform.name}-${proof}`,
		options: { proof },
	}))
	return [platform, ...proofs]
})

const keys = [1, 2].map((n) => createHash('sha256').update(`key ${n}`).digest())
const outboxKey = createHash('sha256').update('outbox').digest()

/** Every secret of the gateway, by the name of its variable. */
const env: { readonly [name: string]: string } = {
	...Object.fromEntries(
		tried.flatMap(({ name }) => [1, 2].map((n) => [variable(name, n), secretOf(`${name} ${n}`)] as const)),
	),
	UPSTREAM: secretOf('the upstream'),
	HEADER: secretOf('a header'),
	...Object.fromEntries(keys.map((key, i) => [`KEY_${i + 1}`, `whsec_${key.toString('base64')}`])),
	OUTBOX: outboxKey.toString('base64'),
}
const upstreamToken = secretOf('the upstream’s URL')
/** What a platform signs with its secret, and what a caller of its own holds: none of ours, and nobody else's business. */
const foreign = [secretOf('a bearer'), secretOf('a cookie'), secretOf('a token in the body')] as const

function variable(name: string, n: number): string {
	return `${name.toUpperCase().replaceAll('-', '_')}_${n}`
}

/** What must not be found: each secret as it is, and as it could be written otherwise. */
const secrets: readonly string[] = [
	...[...Object.values(env), upstreamToken, ...foreign].flatMap((secret) => [
		secret.replace('whsec_', ''),
		Buffer.from(secret).toString('base64').slice(0, 30),
		Buffer.from(secret).toString('hex'),
	]),
	...[...keys, outboxKey].flatMap((key) => [key.toString('hex'), key.toString('latin1'), key.toString('base64url')]),
]

/** What the upstream does, one after the other. */
const behaviours: readonly (() => Reply | Promise<Reply>)[] = [
	() => says(userText),
	() => JSON.stringify({ messages: [{ type: userText }] }),
	() => JSON.stringify({ messages: [{ type: 'text', text: userText, odd: userText }] }),
	() => `<html>${userText}</html>`,
	() => `{"messages":"${userText}`,
	() => 500,
	() => 302,
	() => says('x'.repeat(1_200_000)),
	() => new Promise(() => {}),
]

export const canaries: Row = {
	id: 'D22',
	fault: 'Secrets stand in every header, query, path and field, and everything fails in every way',
	demand:
		'0 secrets in the output, in answers and their headers, in what the upstream is told, or in the database; 0 words of a user in the output, in errors, or in the encrypted database',
	async run(trial) {
		const path = folder(trial)
		let behave: () => Reply | Promise<Reply> = () => says('Hello')
		const upstream = await startEcho(trial, () => behave())
		const config = configTo(upstream.url, join(path, 'outbox.db'))
		const file = join(path, 'gateway.json')
		writeFileSync(file, JSON.stringify(config))
		const gateway = await startGateway(trial, config, { file, env })

		const answers: Got[] = []
		const take = async (sent: Sent): Promise<void> => {
			answers.push(await send(gateway.url, sent))
		}
		for (const platform of tried) {
			behave = () => says('Hello')
			for (const sent of await hostile(platform, trial.at(10, 60, 200))) await take(sent)
			for (behave of behaviours) await take(await called(platform, saysEverywhere(platform.wire)))
		}
		for (const each of ['/healthz', '/readyz', ...tried.map(({ name }) => `/-/carries/${name}`)]) {
			await take({ method: 'GET', path: each })
		}
		// The outbox gives up meanwhile on what it was told last.
		await new Promise((waited) => setTimeout(waited, 500))
		const database = readdirSync(path)
			.filter((name) => name.startsWith('outbox'))
			.map((name) => readFileSync(join(path, name), 'latin1'))
		const stored = await command(file, 'list', '--limit', '100000')
		await gateway.end()

		const output = gateway.written() + stored + (await startsThatFail(trial, config))
		const told = upstream.heard.map((heard) => JSON.stringify([heard.body, heard.headers, heard.target]))
		const refusals = answers.filter(({ status }) => status >= 400)
		const found = {
			'a secret in the output': count([output], secrets),
			'a secret in an answer': count(answers.map(whole), secrets),
			'a secret in the database': count(database, secrets),
			'a secret in what the upstream was told': count(told.map(withoutItsOwn), ofRoutes()),
			'what a user said in the output': count([output], [userText]),
			'what a user said in an error': count(refusals.map(whole), [userText]),
			'what a user said in the encrypted database': count(database, [userText]),
		}
		const broken = Object.entries(found).flatMap(([what, times]) => (times > 0 ? [`${what}, ${times} times`] : []))
		// Else nothing was looked for where it can be.
		if (count(told, [userText]) === 0) broken.push('the upstream was told nothing of what a user said')
		if (!told.some((each) => each.includes(env.UPSTREAM ?? ''))) broken.push('the upstream never got its own secret')
		if (database.join('').length < 10_000) broken.push('nothing was stored')
		if (!stored.includes('snatchbot-webhook')) broken.push('nothing was listed of what was stored')
		const times = Object.values(found).reduce((sum, each) => sum + each, 0)
		const reached = `${Object.keys(env).length + 1 + foreign.length} secrets, ${answers.length} calls of which ${refusals.length} failed, ${told.length} calls to the upstream, ${output.length} bytes of output, ${database.join('').length} of database: ${times} found`
		return { reached, broken }
	},
}

function configTo(url: string, database: string): { readonly [key: string]: unknown } {
	return {
		upstream: {
			url: `${url}bot?key=${upstreamToken}`,
			timeout: 100,
			secrets: [{ env: 'UPSTREAM' }],
			headers: { authorization: { env: 'HEADER' } },
			sign: [{ env: 'KEY_1' }, { env: 'KEY_2' }],
		},
		outbox: { file: database, key: { env: 'OUTBOX' }, schedule: ['0s', '20ms'], retention: { delivered: '1h' } },
		routes: tried.map((platform) =>
			routeOf(platform, {
				secrets: [{ env: variable(platform.name, 1) }, { env: variable(platform.name, 2) }],
				...{ raw: true, debug: true },
			}),
		),
	}
}

/** What of the secrets is not the upstream's own business. */
function ofRoutes(): string[] {
	return tried.flatMap(({ name }) => [1, 2].map((n) => env[variable(name, n)] ?? ''))
}

function withoutItsOwn(told: string): string {
	return [env.UPSTREAM, env.HEADER].reduce<string>((text, secret) => text.replaceAll(secret ?? ' ', ''), told)
}

function called(platform: Platform, wire: WireRequest, n = 1): Promise<Sent> {
	return callOf(platform, wire, env[variable(platform.name, n)])
}

/** Calls with secrets where they belong and where they do not. */
async function hostile(platform: Platform, fields: number): Promise<Sent[]> {
	const { name, wire } = platform
	const [bearer, cookie, inBody] = foreign
	const [own, other] = [
		env[variable(name, 1)] ?? '',
		env[variable(tried.find((each) => each.name !== name)?.name ?? '', 1)] ?? '',
	]
	const right = await called(platform, wire)
	const plain = await callOf(platform, wire)
	const add = (sent: Sent, more: readonly (readonly [string, string])[]): Sent => ({
		...sent,
		headers: [...(sent.headers ?? []), ...more],
	})
	const ask = (sent: Sent, query: string): Sent => ({
		...sent,
		path: `${sent.path}${sent.path.includes('?') ? '&' : '?'}${query}`,
	})
	return [
		right,
		await called(platform, wire, 2),
		plain,
		await callOf(platform, wire, other),
		await callOf(platform, wire, `${own}x`),
		await callOf(platform, wire, own.slice(0, -1)),
		...names.map((header) => add(right, [[header, header === 'cookie' ? `a=${cookie}` : `Bearer ${bearer}`]])),
		...names.map((header) => add(plain, [[header, own]])),
		// Not our own secret: what stands in no field of the platform's is data, and goes to the upstream.
		...['token', 'secret', 'x', bearer].map((field) => ask(right, `${field}=${bearer}&${field}=${userText}`)),
		...['token', 'x', other].map((field) => ask(plain, `${field}=${own}`)),
		{ ...plain, path: `/${name}/${other}` },
		{ ...plain, path: `/${own}` },
		{ ...plain, path: `/${name}/${own}/${own}` },
		{ ...right, method: 'PATCH' },
		{ ...right, method: 'GET', body: '' },
		{ ...right, body: `{"${userText}` },
		{ ...right, body: userText },
		{ ...right, body: `{"token":"${inBody}","password":"${inBody}","a":{"api_key":"${inBody}"}}` },
		{ ...right, body: `${right.body ?? ''}${' '.repeat(1_100_000)}` },
		{ ...right, body: Buffer.from([0xff, 0xfe]) },
		{ ...right, headers: [['content-type', `text/${userText}`]] },
		add({ ...right, body: gzipSync(`${right.body}`) }, [['content-encoding', 'gzip']]),
		...(await Promise.all(eachField(wire, fields).map((changed) => called(platform, changed)))),
	]
}

const names = [
	...[
		'authorization',
		'proxy-authorization',
		'cookie',
		'x-api-key',
		'x-hook-secret',
		'referer',
		'user-agent',
		'forwarded',
	],
	...['x-forwarded-for', 'x-request-id', 'traceparent', 'webhook-id', 'webhook-signature', 'origin', 'from'],
]

/** The call with all that it says, JSON and form, replaced by the canary. */
function saysEverywhere(wire: WireRequest): WireRequest {
	return eachField(wire, 0)[0] ?? wire
}

/** The call with a text in place of each of its strings, first all at once where that is still a call, then one by one. */
function eachField(wire: WireRequest, most: number): WireRequest[] {
	const text = `${userText} said so`
	if (!wire.body.startsWith('{')) {
		const fields = [...new URLSearchParams(wire.body)]
		const written = (at: number) =>
			new URLSearchParams(fields.map(([name, value], i) => [name, i === at ? text : value])).toString()
		const message = fields.findIndex(([name]) => name.includes('message'))
		return [message, ...fields.keys()].slice(0, most + 1).map((at) => ({ ...wire, body: written(at) }))
	}
	const replaced = (at: number, by: unknown): string => {
		let i = 0
		return JSON.stringify(JSON.parse(wire.body), (_key, value) =>
			typeof value === 'object' && value !== null ? value : i++ === at ? by : value,
		)
	}
	let leaves = 0
	let said = -1
	JSON.stringify(JSON.parse(wire.body), (key, value) => {
		if (typeof value === 'object' && value !== null) return value
		if (said === -1 && /^(?:text|resolvedQuery|data|question|message|msg)$/.test(key)) said = leaves
		leaves++
		return value
	})
	const whole = { ...wire, body: replaced(said, text) }
	const each = Array.from({ length: Math.min(leaves, most) }, (_, at) => ({ ...wire, body: replaced(at, text) }))
	return [whole, ...each, ...each.slice(0, most / 4).map((_, at) => ({ ...wire, body: replaced(at, { text }) }))]
}

/** What the program says of configurations in which somebody wrote the secrets themselves, or of which they are none. */
async function startsThatFail(trial: Trial, config: { readonly [key: string]: unknown }): Promise<string> {
	const secret = foreign[0]
	const [route] = tried
	if (!route) throw new Error('there is no platform')
	const of = (more: object) => ({ ...config, routes: [routeOf(route, more)] })
	const mistaken: readonly (readonly [object, StartOptions['env']?])[] = [
		[of({ secrets: [secret] })],
		[of({ secrets: secret })],
		[of({ secrets: [{ env: secret }] })],
		[of({ secrets: [{ value: secret }] })],
		[of({ path: `/${secret}?` })],
		[of({ options: { [route.name]: secret } })],
		[{ ...config, upstream: { url: `ftp://user:${secret}@127.0.0.1/${secret}` } }],
		[{ ...config, upstream: { url: 'http://127.0.0.1/', headers: { authorization: `${secret}\n` } } }],
		[config, { ...env, KEY_1: secret }],
		[config, { ...env, OUTBOX: secret }],
		[config, { ...env, UPSTREAM: ` ${secret}` }],
		[{ ...config, outbox: { file: join(folder(trial), 'none', 'outbox.db'), key: { env: 'OUTBOX' } } }, env],
	]
	const said = await Promise.all(
		mistaken.slice(-trial.at(4, 20, 20)).map(([wrong, given = env]) =>
			startGateway(trial, wrong, { env: given }).then(
				() => {
					throw new Error(`a mistaken configuration was taken: ${JSON.stringify(wrong).slice(0, 200)}`)
				},
				(refused: Error) => refused.message,
			),
		),
	)
	return said.join('\n')
}

function command(file: string, ...args: string[]): Promise<string> {
	return new Promise((done) => {
		execFile(
			process.execPath,
			[program, 'outbox', ...args],
			{ env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, ...env }, maxBuffer: 1e8 },
			(_error, out, err) => done(out + err),
		)
	})
}

function whole({ headers, body }: Got): string {
	return `${JSON.stringify(headers)} ${body}`
}

function count(texts: readonly string[], needles: readonly string[]): number {
	return texts.reduce((sum, text) => sum + needles.filter((needle) => text.includes(needle)).length, 0)
}
