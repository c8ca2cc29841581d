/** What a platform, or anybody else, sees of the gateway over HTTP. */
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test, vi } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { chatbotV2 } from '../adapters/chatbot-v2/index.ts'
import { queryToken } from '../src/format/index.ts'
import { exchange } from './harness/sockets.ts'
import { call, gateway, gatewayTo, json, ownJson, says, upstream } from './servers.ts'

const secret = 'canary-of-a-path-secret'
const token = 'canary-of-a-query-token'
const env = { SECRET: secret, TOKEN: token }

const adapters = [
	canonical,
	ownJson('tokened', { auth: queryToken('token'), methods: ['GET', 'POST'] }),
	ownJson('small', { maxBody: 1000 }),
]

/** A route whose secret is in the path, and one whose secret is in the query. */
async function guarded() {
	const { url, calls } = await upstream()
	const started = await gateway(
		{
			upstream: { url },
			routes: [
				{ name: 'segment', path: '/segment', platform: 'canonical', secrets: [{ env: 'SECRET' }] },
				{ name: 'tokened', path: '/tokened', platform: 'tokened', secrets: [{ env: 'SECRET' }, { env: 'TOKEN' }] },
			],
		},
		adapters,
		env,
	)
	return { ...started, calls }
}

test('a turn goes to the upstream and back', async () => {
	const { url, calls } = await upstream(({ body }) => json(says(JSON.parse(body).event.text)))
	const { url: at } = await gatewayTo(`${url}/bot?a=b`)
	const answer = await call(`${at}/in?x=y`, { kind: 'message', text: 'Grüße 🎈' })
	expect(answer.status).toBe(200)
	expect(await answer.json()).toMatchObject(says('Grüße 🎈'))
	expect(calls).toHaveLength(1)
	expect(calls[0]?.path).toBe('/bot?a=b')
	expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({
		version: 1,
		event: { kind: 'message', text: 'Grüße 🎈' },
		turn: { route: 'in', platform: 'canonical', answer: 'now', id: expect.stringMatching(/^turn_[\w-]{36}$/) },
	})
})

test('the upstream gets only the gateway’s headers', async () => {
	const { url, calls } = await upstream()
	const { url: at } = await gatewayTo(url)
	const poison = {
		cookie: 'a=b',
		'x-forwarded-for': '1.2.3.4',
		authorization: 'Bearer x',
		'x-any': 'y',
		te: 'trailers',
	}
	await call(`${at}/in`, undefined, { headers: { 'content-type': 'application/json', ...poison } })
	const names = [
		'accept',
		'accept-encoding',
		'cdn-loop',
		'connection',
		'content-length',
		'content-type',
		'host',
		'user-agent',
	]
	expect(calls[0]?.headers.map(([name]) => name).toSorted()).toEqual(names)
})

test('secrets open their routes, in the path and in the query', async () => {
	const { url, calls } = await guarded()
	for (const path of [`/segment/${secret}`, `/tokened?token=${token}`, `/tokened?token=${secret}`]) {
		expect((await call(url + path)).status).toBe(200)
	}
	expect(calls).toHaveLength(3)
})

const withoutDate = (answer: string) => answer.replace(/^date: .*$/im, '')
const big = 'x'.repeat(1024 * 1024 + 1)

test.each([
	['a call', 'POST', '{"event":{"kind":"message"}}', ''],
	['no body', 'GET', '', ''],
	['HEAD', 'HEAD', '', ''],
	['an unknown method', 'PURGE', '', ''],
	['TRACE', 'TRACE', '', ''],
	['a large body', 'POST', big, ''],
	['a compressed body', 'POST', 'x', 'content-encoding: gzip\r\n'],
	['a body that is not UTF-8', 'POST', '\xff', ''],
])('without the secret, %s gets what an unknown path gets, byte for byte', async (_, method, body, header) => {
	const { url, calls, lines } = await guarded()
	const answers = await Promise.all(
		[
			'/nothing/here',
			'/segment/wrong',
			`/segment/${secret}x`,
			`/segment/${secret}/`,
			'/segment/',
			'/segment',
			'/tokened',
			'/tokened?token=',
			`/tokened?token=${token}x`,
			`/tokened?token=${token}&token=${token}`,
			`/tokened/?token=${token}`,
			'//segment',
			'/%',
		].map(async (path) => {
			const head = `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${header}content-length: ${body.length}`
			return (await exchange(url, `${head}\r\n\r\n${body}`)).text
		}),
	)
	expect(new Set(answers.map(withoutDate)).size).toBe(1)
	expect(answers[0]).toMatch(/^HTTP\/1.1 404 /)
	expect(answers[0]).toMatch(/^x-content-type-options: nosniff\r$/im)
	if (method !== 'HEAD') expect(answers[0]).toContain('urn:dragoman:error:not-found')
	expect(calls).toEqual([])
	// The operator is told what the caller is not; once for each reason.
	expect(lines.map(({ msg, error }) => [msg, error])).toEqual(lines.map(() => ['refused', 'not-found']))
	expect(lines.length).toBeLessThanOrEqual(3)
})

test('a wrong method gets the allowed ones; HEAD is not GET', async () => {
	const { url, calls } = await guarded()
	for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
		const answer = await fetch(`${url}/tokened?token=${token}`, { method })
		expect(answer.status).toBe(405)
		expect(answer.headers.get('allow')).toBe('GET, POST')
	}
	expect(calls).toEqual([])
})

test('a path is never redirected, and has one spelling', async () => {
	const { url } = await gatewayTo((await upstream()).url)
	expect((await call(`${url}/in`)).status).toBe(200)
	for (const path of ['/in/', '/%69n', '/IN', '//in', '/in%2F']) expect((await call(url + path)).status).toBe(404)
})

test('a secret in the path may have any characters', async () => {
	const odd = 'ä secret / with % and ?'
	const { url: to } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'SECRET' }] }]
	const { url } = await gateway({ upstream: { url: to }, routes }, adapters, { SECRET: odd })
	expect((await call(`${url}/in/${encodeURIComponent(odd)}`)).status).toBe(200)
})

const chunked = (body: string) => ({
	body: new Blob([body]).stream(),
	duplex: 'half',
	// The gateway ends a connection on which it refused a body.
	headers: { 'content-type': 'application/json', connection: 'close' },
})

test('a body over the limit is rejected, declared or not; one at the limit is read', async () => {
	const { url } = await gatewayTo((await upstream()).url, { platform: 'small' }, adapters)
	const event = JSON.stringify({ event: { kind: 'message', text: '' } })
	const at = event.replace('""', `"${'x'.repeat(1000 - event.length)}"`)
	expect(at).toHaveLength(1000)
	for (const init of [{ body: `${at} ` }, chunked(`${at} `), chunked(big)]) {
		const answer = await call(`${url}/in`, undefined, init)
		expect(await answer.json()).toMatchObject({ status: 413, title: 'body-too-large', limit: 1000 })
	}
	for (const init of [{ body: at }, chunked(at)]) expect((await call(`${url}/in`, undefined, init)).status).toBe(200)
})

test('a body is read as UTF-8 without its byte order mark, and never decompressed', async () => {
	const { url } = await gatewayTo((await upstream()).url)
	const body = Buffer.from('{"event":{"kind":"message","text":"Hi"}}')
	const post = async (body: Buffer<ArrayBuffer>, headers = {}) =>
		(await call(`${url}/in`, undefined, { body, headers })).json()
	expect(await post(Buffer.concat([Buffer.from('\uFEFF'), body]))).toMatchObject(says('Hello'))
	expect(await post(body, { 'content-encoding': 'identity' })).toMatchObject(says('Hello'))
	expect(await post(Buffer.from([...body, 0xff]))).toMatchObject({ status: 400, title: 'body-not-utf8' })
	const gzip = await post(gzipSync(body), { 'content-encoding': 'gzip' })
	expect(gzip).toMatchObject({ status: 415, title: 'encoding-not-supported' })
})

test('the gateway reports its health, and what its routes carry', async () => {
	const { url } = await guarded()
	const get = async (path: string) => {
		const answer = await fetch(url + path)
		return { status: answer.status, body: await answer.json() }
	}
	expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } })
	expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready' } })
	expect((await get(`/-/carries/tokened/${token}`)).body).toMatchObject({
		route: 'tokened',
		platforms: [{ name: 'tokened', answer: 'now', reply: { 'reply.text': {} }, event: { 'event.text': {} } }],
		upstream: { name: 'canonical', event: { 'event.text': {} } },
	})
	expect(JSON.stringify(await get(`/-/carries/segment/${secret}`))).not.toContain('127.0.0.1')
	expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(404)
})

test('what a guarded route carries is for those who know its secret, and its name is for nobody else', async () => {
	const { url } = await guarded()
	const get = (path: string) => exchange(url, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
	const paths = ['nothing', 'segment', 'segment/', 'segment/wrong', `segment/${token}`, `segment/${secret}/`, 'tokened']
	const odd = [
		`tokened?token=${token}`,
		`%73egment/${secret}`,
		`./segment/${secret}`,
		`nothing/${secret}`,
		'',
		'/',
		'%',
	]
	const below = ['carries', 'contract']
	const answers = await Promise.all(
		below.flatMap((name) => [...paths, ...odd].map((path) => get(`/-/${name}/${path}`))),
	)
	expect(new Set(answers.map(({ text }) => withoutDate(text))).size).toBe(1)
	expect(answers[0]?.statuses).toEqual([404])
	for (const known of [`segment/${secret}`, `tokened/${token}`, `tokened/${secret}`]) {
		for (const name of below) expect((await get(`/-/${name}/${known}`)).statuses).toEqual([200])
	}
	const { url: open } = await gatewayTo((await upstream()).url)
	expect((await fetch(`${open}/-/carries/in`)).status).toBe(200)
	expect((await fetch(`${open}/-/carries/in/x`)).status).toBe(404)
})

test('a gateway on Node serves the contract of its release, with what the route carries', async () => {
	const { url } = await gatewayTo((await upstream()).url, { platform: 'chatbot-v2', open: true }, [
		canonical,
		chatbotV2,
	])
	const answer = await fetch(`${url}/-/contract/in`)
	expect(answer.headers.get('content-type')).toBe('application/json')
	const { 'x-carries': carries, info, ...rest } = await answer.json()
	const { info: common, ...document } = JSON.parse(await readFile('schema/openapi.json', 'utf8'))
	expect(rest).toEqual(document)
	expect(info).toEqual({ ...common, description: expect.stringContaining(`${common.description}\n\n## The route in`) })
	expect(info.description).toMatch(
		/for anything else\. What a reply has beyond it is converted.*\n\n### A reply to chatbot-v2\n\n- `reply/s,
	)
	expect(info.description).toMatch(/^- `reply.choices`: 13 items/m)
	expect(info.description).not.toContain('- `reply.replace`')
	expect(carries).toEqual(await (await fetch(`${url}/-/carries/in`)).json())
	const { valid, errors } = await new Validator().validate({ ...rest, info, 'x-carries': carries })
	expect(errors ?? []).toEqual([])
	expect(valid).toBe(true)
	expect((await fetch(`${url}/-/contract/in`, { method: 'POST' })).status).toBe(404)
})

test('the contract of a strict route says that a reply must fit', async () => {
	const { url } = await gatewayTo((await upstream()).url, { policy: 'strict' })
	const { info } = await (await fetch(`${url}/-/contract/in`)).json()
	expect(info.description).toContain('A reply that would lose anything beyond it fails the turn')
})

test('a client that disconnects in the middle leaves no trace', async () => {
	const error = vi.spyOn(console, 'error')
	const { url, calls, lines } = await guarded()
	const head = `POST /segment/${secret} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"half":`
	for (let i = 0; i < 20; i++) {
		await new Promise<void>((gone) => {
			const socket = connect(Number(new URL(url).port), '127.0.0.1')
			socket.write(head, () => socket.resetAndDestroy())
			socket.on('close', () => gone()).on('error', () => {})
		})
	}
	await wait(100)
	expect((await call(`${url}/segment/${secret}`)).status).toBe(200)
	expect(calls).toHaveLength(1)
	expect(lines.map(({ msg, error }) => error ?? msg)).toEqual(['body-incomplete', 'turn'])
	expect(error).not.toHaveBeenCalled()
	error.mockRestore()
})
