/** Bodies: read once their sender is known, within one budget for all of them. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { createBodyBudget } from '../src/http/index.ts'
import { limits } from '../src/limits.ts'
import { createSender } from '../src/node/undici-client.ts'
import { dial, exchange } from './harness/sockets.ts'
import { call, gateway, testScope, upstream } from './servers.ts'

const env = { SECRET: 'a secret that strangers do not know' }
const secrets = [{ env: 'SECRET' }]
const secret = encodeURIComponent(env.SECRET)
const mebibyte = 1024 * 1024

/** A route for each place of a proof. */
const routes = [
	{ name: 'path', path: '/path', platform: 'canonical', secrets },
	{ name: 'query', path: '/query', platform: 'chatbot-v1', secrets },
	{ name: 'header', path: '/header', platform: 'pingstreams', options: { proof: 'hook-secret' }, secrets },
	{ name: 'body', path: '/body', platform: 'pingstreams', options: { proof: 'token' }, secrets },
	{ name: 'large', path: '/large', platform: 'pingstreams', secrets },
	{ name: 'open', path: '/open', platform: 'canonical' },
]

async function guarded(more: object = {}, some: readonly object[] = routes) {
	const { url, calls } = await upstream()
	return { ...(await gateway({ upstream: { url }, routes: some, ...more }, adapters, env)), calls }
}

const head = (path: string, length: number | 'chunked') =>
	`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${
		length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`
	}\r\n\r\n`

test.each([
	['in the path', '/path/wrong'],
	['in the query', '/query?token=wrong'],
	['in a header', '/header'],
	['behind the path of a proof in the body', '/body/wrong'],
	['of a path that no route has', '/nothing'],
])('without the secret %s, a call is answered before its body has come', async (_, path) => {
	const { url } = await guarded()
	for (const length of [64 * 1024 + 1, 8 * mebibyte]) {
		const { statuses } = await exchange(url, head(path, length), { patience: 2000 })
		expect(statuses).toEqual([404])
	}
	// Of chunks, a small part is read.
	const piece = `8000\r\n${' '.repeat(0x8000)}\r\n`
	const { statuses } = await exchange(url, head(path, 'chunked') + piece.repeat(3), { patience: 2000 })
	expect(statuses).toEqual([404])
})

test('without the secret, a small body is dropped, and the connection serves on', async () => {
	const { url } = await guarded()
	const bytes = `${head('/path/wrong', 60_000)}${' '.repeat(60_000)}`.repeat(2)
	const { socket, received } = dial(testScope, url)
	socket.write(`${bytes}${head('/nothing', 2)}{}`)
	await expect.poll(() => received().match(/HTTP\/1\.1 404 /g)).toHaveLength(3)
})

test('a caller that is still sending gets the answer before its connection is closed', async () => {
	const { url } = await guarded()
	const { socket, received, closed, closedAfter } = dial(testScope, url)
	const errors: Error[] = []
	socket.on('error', (error) => errors.push(error))
	socket.write(head(`/path/${secret}`, 2 * mebibyte).replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))
	await expect.poll(received).toContain('"title":"body-too-large"')
	await wait(50)
	expect(closedAfter()).toBeUndefined()
	socket.write(' '.repeat(2 * mebibyte))
	await closed
	expect(errors).toEqual([])
})

test('with the secret, the method is checked before the body has come', async () => {
	const { url } = await guarded()
	const bytes = head(`/path/${secret}`, mebibyte).replace('POST', 'PUT')
	expect((await exchange(url, bytes, { patience: 2000 })).statuses).toEqual([405])
})

test('a stranger’s body is not parsed, wherever the proof is expected', async () => {
	for (const some of [routes, routes.filter(({ name }) => name === 'body')]) {
		const { send } = await guarded({}, some)
		const parse = vi.spyOn(JSON, 'parse')
		// Few enough values that a parser would take them.
		const padding = `{"a":[${'0,'.repeat(limits.values.value / 2)}1e999]`
		for (const path of [...some.map(({ path }) => path), '/nothing', '/body/x'].filter((path) => path !== '/open')) {
			for (const rest of ['}', ',"token":"a.b.c"}', ',"token":"a","token":"b"}']) {
				expect((await send({ path, body: padding + rest })).status).toBe(404)
			}
		}
		const lengths = parse.mock.calls.map(([text]) => text.length).filter((length) => length > padding.length)
		parse.mockRestore()
		expect(lengths).toEqual([])
	}
})

/** Connections that have sent all of a body but its end, which the gateway therefore holds or has refused. */
async function holding(url: string, path: string, length: number, count: number) {
	const lines = Array.from({ length: count }, () => dial(testScope, url))
	for (const { socket } of lines) socket.write(head(path, length) + ' '.repeat(length - 1))
	await expect
		.poll(() => lines.every(({ socket, closedAfter }) => socket.writableLength === 0 || closedAfter()))
		.toBe(true)
	// The system has taken all of it; the gateway, in this process, is about to.
	await wait(300)
	return lines
}

/** The first answer with which the budget refuses a call: the gateway may not have read yet what is held. */
async function refusal<Answer extends { readonly status: number }>(send: () => Promise<Answer>): Promise<Answer> {
	let answer = await send()
	await expect
		.poll(async () => {
			if (answer.status < 424) answer = await send()
			return answer.status
		})
		.toBeGreaterThanOrEqual(424)
	return answer
}

test('bodies beyond the budget are refused, and small ones are not', async () => {
	const { url, lines } = await guarded({ limits: { bodiesAtOnce: 16 * mebibyte } })
	const held = await holding(url, `/large/${secret}`, 2 * mebibyte, 8)
	const event = { kind: 'message', text: 'x'.repeat(mebibyte / 2) }
	const refused = await refusal(() => call(`${url}/path/${secret}`, event))
	expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
	expect(await refused.json()).toMatchObject({ title: 'too-many-bodies', limit: 16 * mebibyte })
	expect((await call(`${url}/path/${secret}`)).status).toBe(200)
	expect(lines).toContainEqual(expect.objectContaining({ msg: 'refused', error: 'too-many-bodies', route: 'path' }))
	// What they held is free again, however they end.
	for (const { socket } of held) socket.resetAndDestroy()
	await expect.poll(async () => (await call(`${url}/path/${secret}`, event)).status).toBe(200)
})

test('a platform that reads failures gets its own', async () => {
	const { url, send } = await guarded({ limits: { bodiesAtOnce: 16 * mebibyte } })
	await holding(url, `/large/${secret}`, 2 * mebibyte, 8)
	const answer = await refusal(() => send({ path: `/large/${secret}`, body: ' '.repeat(mebibyte) }))
	expect([answer.status, JSON.parse(answer.body).title]).toEqual([424, 'too-many-bodies'])
})

test('strangers can use up only their half of the budget, and reserve nothing by what they declare', async () => {
	const { url, send } = await guarded({ limits: { bodiesAtOnce: 16 * mebibyte } })
	const event = JSON.stringify({ version: 1, event: { kind: 'message', text: 'x'.repeat(mebibyte / 2) } })
	const idle = Array.from({ length: 50 }, () => dial(testScope, url))
	for (const { socket } of idle) socket.write(`${head('/body', 2 * mebibyte)}{`)
	await wait(200)
	expect((await send({ path: '/open', body: event })).status).toBe(200)
	const held = [...(await holding(url, '/body', 2 * mebibyte, 4)), ...(await holding(url, '/open', mebibyte, 1))]
	expect((await send({ path: '/open', body: event })).status).toBe(503)
	expect((await send({ path: `/path/${secret}`, body: event })).status).toBe(200)
	expect(held.map((line) => line.received().slice(0, 12))).toEqual(['', '', '', '', 'HTTP/1.1 503'])
})

test('strangers on unknown paths and with wrong secrets do not enter the budget', async () => {
	const { url, send } = await guarded({ limits: { bodiesAtOnce: 16 * mebibyte } })
	const paths = ['/nothing', '/path/wrong', '/header', '/query', '/body/x']
	await Promise.all(paths.map((path) => holding(url, path, 8 * mebibyte, 2)))
	const event = JSON.stringify({ version: 1, event: { kind: 'message', text: 'x'.repeat(mebibyte / 2) } })
	expect((await send({ path: '/open', body: event })).status).toBe(200)
})

test('a reload changes the budget, and keeps what is in it', async () => {
	const { url, send, reload, lines } = await guarded({ limits: { bodiesAtOnce: 64 * mebibyte } })
	await holding(url, `/large/${secret}`, 2 * mebibyte, 8)
	const event = JSON.stringify({ version: 1, event: { kind: 'message', text: 'x'.repeat(mebibyte / 2) } })
	expect((await send({ path: `/path/${secret}`, body: event })).status).toBe(200)
	reload({ upstream: { url: 'builtin:demo' }, routes, limits: { bodiesAtOnce: 16 * mebibyte } })
	expect((await send({ path: `/path/${secret}`, body: event })).status).toBe(503)
	expect(lines.at(-1)).toMatchObject({ error: 'too-many-bodies' })
})

test('replies beyond the budget are refused, those of another origin are not, and neither are small ones', async () => {
	const reply = ' '.repeat(mebibyte)
	const framings = [`content-length: ${mebibyte}\r\n\r\n`, 'connection: close\r\n\r\n']
	const stalling = (framing: string, over: Promise<void>) =>
		upstream({
			'/stalls': async (_, { write, gone, socket }) => {
				await write(`HTTP/1.1 200 OK\r\n${framing}${reply.slice(1)}`)
				await Promise.race([gone, over])
				socket.destroy()
				return undefined
			},
			'/large': () => ({ status: 200, headers: [], body: reply }),
			'/small': () => ({ status: 200, headers: [], body: reply.slice(0, 16 * 1024) }),
		})
	for (const framing of framings) {
		const { promise: over, resolve: end } = Promise.withResolvers<void>()
		const [one, other] = [await stalling(framing, over), await stalling(framing, over)]
		const { send, close } = createSender()
		onTestFinished(close)
		const call = (url: string) =>
			send({
				...{ url, timeout: 20_000, method: 'POST', headers: [], body: 'Hi', maxBytes: mebibyte },
				onlyPublic: false,
				reads: 'reply',
			})
		const codes: unknown[] = []
		const stalled = Array.from({ length: 40 }, () =>
			call(`${one.url}/stalls`).catch(({ code }) => void codes.push(code)),
		)
		await expect.poll(() => codes.length, { timeout: 10_000 }).toBe(40 - 32)
		expect(new Set(codes)).toEqual(new Set(['too-many-replies']))
		await expect(call(`${one.url}/large`)).rejects.toMatchObject({ code: 'too-many-replies', status: 503 })
		expect((await call(`${one.url}/small`)).body).toHaveLength(16 * 1024)
		expect((await call(`${other.url}/large`)).body).toHaveLength(mebibyte)
		end()
		await Promise.all(stalled)
		expect((await call(`${one.url}/large`)).body).toHaveLength(mebibyte)
	}
})

test('a budget counts what exceeds the beginning of each body, and gives it back', () => {
	const budget = createBodyBudget(100_000)
	const strangers = budget.half()
	const beginning = 16 * 1024
	const many = Array.from({ length: 1000 }, () => strangers.open())
	for (const account of many) account.add(beginning)
	const proven = budget.open()
	proven.add(beginning + 60_000)
	const stranger = strangers.open()
	stranger.add(beginning)
	stranger.add(40_000)
	expect(() => stranger.add(1)).toThrow(expect.objectContaining({ code: 'too-many-bodies' }))
	expect(() => proven.add(1)).toThrow(expect.objectContaining({ code: 'too-many-bodies' }))
	proven.close()
	expect(() => stranger.add(10_001)).toThrow(expect.objectContaining({ code: 'too-many-bodies' }))
	stranger.add(10_000)
	stranger.close()
	stranger.close()
	budget.open().add(beginning + 100_000)
})

test('a route may allow larger or smaller bodies than its platform needs', async () => {
	const { url } = await guarded({}, [
		{ name: 'small', path: '/small', platform: 'canonical', maxBody: 2000 },
		{ name: 'large', path: '/large', platform: 'canonical', maxBody: 3 * mebibyte },
		{ name: 'usual', path: '/usual', platform: 'canonical' },
	])
	const send = async (path: string, length: number) => {
		const event = { kind: 'message', text: 'x'.repeat(length), attributes: {} }
		return (await call(`${url}${path}`, event)).status
	}
	expect(await send('/small', 1800)).toBe(200)
	expect(await send('/small', 2000)).toBe(413)
	expect(await send('/usual', 2 * mebibyte)).toBe(413)
	expect(await send('/large', 2 * mebibyte)).toBe(200)
})
