/** The kit for backends: what it verifies is what the gateway and the library of Standard Webhooks sign, on every kind of server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import fc from 'fast-check'
import { Hono } from 'hono'
import { Webhook } from 'standardwebhooks'
import * as v from 'valibot'
import { expect, onTestFinished, test, vi } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import * as kit from '../src/backend/index.ts'
import { BackendReply, BackendRequest } from '../src/model/index.ts'
import { canonicalEvents } from './arbitraries.ts'
import { pageAt } from './pages.ts'
import { call, gateway } from './servers.ts'

const key = `whsec_${btoa('0123456789abcdef01234567')}`
const otherKey = `whsec_${btoa('another key of 24 bytes!')}`
const turn = {
	...{ id: 'turn_1', route: 'in', platform: 'canonical', receivedAt: '2026-03-01T09:30:00.000Z' },
	...{ answer: 'now', carries: [], changes: [] },
}
const hello = { version: 1, event: { kind: 'message', text: 'Hi', attributes: {} }, turn }

function signedBy(key: string, body: string, at = new Date()): { [name: string]: string } {
	const signature = new Webhook(key).sign('turn_1', at, body)
	const timestamp = String(Math.floor(at.getTime() / 1000))
	return { 'webhook-id': 'turn_1', 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

function post(body: string, headers: { [name: string]: string } = {}): Request {
	return new Request('http://127.0.0.1/', { method: 'POST', body, headers })
}

const echo = { answer: ({ text = '' }: kit.CanonicalEvent) => kit.reply(`You said: ${text}`) }

test('a signature of the library is one of ours, and no changed byte is', async () => {
	await fc.assert(
		fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.nat(), fc.boolean(), async (body, at, isRotated) => {
			const headers = signedBy(key, body)
			const keys = isRotated ? [otherKey, key] : [key]
			const isSigned = (body: string, changed: { [name: string]: string | undefined } = {}) =>
				kit.isSigned({ header: (name) => ({ ...headers, ...changed })[name], body }, keys)
			expect(await isSigned(body)).toBe(true)
			const cut = at % (body.length + 1)
			expect(await isSigned(`${body.slice(0, cut)}x${body.slice(cut)}`)).toBe(false)
			for (const name of Object.keys(headers)) {
				expect(await isSigned(body, { [name]: undefined })).toBe(false)
				expect(await isSigned(body, { [name]: `${headers[name]}0` })).toBe(false)
			}
		}),
		{ numRuns: 20 },
	)
})

test('a signature counts for five minutes, with one of several signatures, and with no other key', async () => {
	const now = Date.now()
	const ago = (seconds: number) => signedBy(key, 'body', new Date(now - seconds * 1000))
	const isSigned = (headers: { [name: string]: string }, keys = [key]) =>
		kit.isSigned({ header: (name) => headers[name], body: 'body' }, keys, now)
	expect(await Promise.all([0, 299, -299, 302, -302].map((seconds) => isSigned(ago(seconds))))).toEqual([
		...[true, true, true, false, false],
	])
	const fresh = ago(0)
	expect(await isSigned({ ...fresh, 'webhook-signature': `v1a,AAAA v1,AAAA ${fresh['webhook-signature']}` })).toBe(true)
	expect(await isSigned(fresh, [otherKey])).toBe(false)
	await expect(isSigned(fresh, ['no base64'])).rejects.toThrow(TypeError)
	for (const keys of [[], '', 'whsec_', 'whsec_?'])
		expect(() => kit.createBackend({ keys, ...echo })).toThrow(TypeError)
})

test('what answers no valid call has a status that says why', async () => {
	const signed = kit.createBackend({ keys: key, ...echo })
	const body = JSON.stringify(hello)
	const statusOf = async (request: Request) => (await signed.fetch(request)).status
	expect(await statusOf(post(body, signedBy(key, body)))).toBe(200)
	expect(await statusOf(post(body))).toBe(401)
	expect(await statusOf(post(body, signedBy(otherKey, body)))).toBe(401)
	expect(await statusOf(new Request('http://127.0.0.1/'))).toBe(405)
	for (const wrong of ['', '{', '[]', 'null', '{"version":2}', '{"version":1,"event":{}}']) {
		expect(await statusOf(post(wrong, signedBy(key, wrong)))).toBe(400)
	}
})

test('every event of the model is a request, also with the members of a later release', () => {
	fc.assert(
		fc.property(canonicalEvents(), (event) => {
			const request = { ...hello, event }
			expect(kit.parseRequest(JSON.stringify(request))).toEqual(JSON.parse(JSON.stringify(request)))
			expect(v.is(BackendRequest, JSON.parse(JSON.stringify(request)))).toBe(true)
		}),
		{ numRuns: 50 },
	)
	expect(kit.parseRequest(JSON.stringify({ ...hello, later: true }))).toHaveProperty('later', true)
})

test('the builders build valid replies', () => {
	const url = 'https://example.com/a'
	const buttons = [
		...[kit.postback('A', 'a'), kit.link('B', url), kit.webview('C', url, 'tall'), kit.webview('C', url)],
		kit.callButton('D', '+4930123456'),
	]
	const built = kit.reply(
		[
			...['Hello', kit.text('Hi', { alternatives: ['Hey'], buttons })],
			...[kit.image(url, { alt: 'A' }), kit.video(url), kit.audio(url), kit.file(url, { name: 'a.pdf' })],
			...[kit.choices('Which?', [{ title: 'A', value: 'a' }]), kit.cards([{ title: 'A', buttons }], { delay: 5 })],
		],
		{ session: { a: 1 }, user: { b: null }, control: { close: true }, overrides: { own: 1 } },
	)
	expect(v.is(BackendReply, built)).toBe(true)
	expect(new Set(built.messages?.map(({ type }) => type)).size).toBe(7)
	expect(kit.reply('Hi')).toEqual({ messages: [{ type: 'text', text: 'Hi' }] })
	expect(kit.reply([], { session: { a: 1 } })).toEqual({ messages: [], attributes: { session: { a: 1 } } })
})

async function listen(listener: RequestListener): Promise<string> {
	const server = createServer(listener).listen(0, '127.0.0.1')
	onTestFinished(() => new Promise<void>((done) => void server.close(() => done())))
	await new Promise((done) => server.once('listening', done))
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test.each(['node:http', 'Hono'])('with %s, it answers what the gateway signs', async (server) => {
	const backend = kit.createBackend({ keys: [otherKey, key], ...echo })
	const app = new Hono().post('/', (c) => backend.fetch(c.req.raw))
	const listener: RequestListener =
		server === 'Hono'
			? getRequestListener((request) => app.fetch(request))
			: (request, response) => void backend.node(request, response)
	const url = await listen(listener)
	const routes = [{ name: 'in', path: '/in', platform: 'canonical' }]
	const config = { upstream: { url, sign: [{ env: 'KEY' }] }, routes }
	const { url: gatewayUrl } = await gateway(config, [canonical], { KEY: key })
	const answer = await call(`${gatewayUrl}/in`, { kind: 'message', text: 'Grüße' })
	expect(await answer.json()).toMatchObject({ messages: [{ type: 'text', text: 'You said: Grüße' }] })
})

test('on Node, what the answer throws goes to next, or is a 500', async () => {
	const failing = kit.createBackend({
		keys: undefined,
		answer() {
			throw new Error('broken')
		},
	})
	const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
	onTestFinished(() => logged.mockRestore())
	const body = JSON.stringify(hello)
	const plain = await listen((request, response) => void failing.node(request, response))
	expect((await fetch(plain, { method: 'POST', body })).status).toBe(500)
	expect(logged).toHaveBeenCalledOnce()
	const withNext = await listen((request, response) => {
		void failing.node(request, response, (error) => response.writeHead(503).end(String(error)))
	})
	const passed = await fetch(withNext, { method: 'POST', body })
	expect([passed.status, await passed.text()]).toEqual([503, 'Error: broken'])
	await expect(failing.fetch(post(body))).rejects.toThrow('broken')
	const readBefore = await listen(async (request, response) => {
		for await (const _ of request);
		await failing.node(request, response, (error) => response.writeHead(503).end(String(error)))
	})
	expect(await (await fetch(readBefore, { method: 'POST', body })).text()).toContain('express.json()')
})

test('nothing to say is a 204, and a string a text', async () => {
	const answering = (answer: kit.Answer) =>
		kit.createBackend({ keys: undefined, answer: () => answer }).fetch(post(JSON.stringify(hello)))
	expect((await answering(undefined)).status).toBe(204)
	expect(await (await answering('Hi')).json()).toEqual({ messages: [{ type: 'text', text: 'Hi' }] })
})

test('the README shows a backend that answers', async () => {
	const code = pageAt('README.md').block('kit')
	const source = new URL('../src/backend/index.ts', import.meta.url).href
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-kit-'))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	const module = join(folder, 'backend.ts')
	writeFileSync(module, `${code.replace("'dragoman/backend'", `'${source}'`)}\nexport { backend }\n`)
	const { backend }: { backend: kit.Backend } = await import(pathToFileURL(module).href)
	const { messages } = await (await backend.fetch(post(JSON.stringify(hello)))).json()
	expect(messages).toMatchObject([{ text: 'You said: Hi' }, { type: 'choices', choices: [{ value: 'yes' }] }])
})
