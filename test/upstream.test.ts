/** Upstreams that misbehave: what the gateway makes of each, within the time the platform leaves. */
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { createSender } from '../src/node/undici-client.ts'
import { bytesOf, headOf } from './harness/upstream.ts'
import { call, gateway, gatewayTo, json, nobody, ownJson, says, upstream } from './servers.ts'

const hello = JSON.stringify(says('Hello'))
const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const limit = 1024 * 1024

/** The problem that a platform without a shape of its own for failures gets. */
async function problemOf(url: string): Promise<object> {
	const answer = await call(`${url}/in`)
	expect(answer.headers.get('content-type')).toBe('application/problem+json')
	const problem = await answer.json()
	expect(problem.status).toBe(answer.status)
	expect(problem.turn).toMatch(/^turn_/)
	return problem
}

test.each([
	['that never answers', '', 0],
	['that stops in the middle', `${head}content-length: 99\r\n\r\n{`, 0],
	['that drips', `${head}\r\n{"messages":[`, 10],
])('an upstream %s is given up at its limit of time', async (_, bytes, dripsEach) => {
	const { url: to } = await upstream(async (_, connection) => {
		await connection.write(bytes)
		while (dripsEach > 0 && connection.open) {
			await connection.write(' ')
			await connection.pause(dripsEach)
		}
	})
	const quick = ownJson('quick', { deadline: 1800 })
	const { url, lines } = await gatewayTo(to, { platform: 'quick' }, [canonical, quick])
	const before = performance.now()
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-timeout', status: 504 })
	const took = performance.now() - before
	// The platform leaves 300 ms; far beyond that it would have gone.
	expect(took).toBeGreaterThan(250)
	expect(took).toBeLessThan(1800)
	expect(lines).toMatchObject([{ level: 'error', error: 'upstream-timeout', status: 504 }])
})

test('with several formats on one URL, the shortest deadline is met', async () => {
	const { url: to } = await upstream(() => undefined)
	const patient = ownJson('patient', { deadline: 60_000, recognises: () => false })
	const quick = ownJson('quick', { deadline: 1800, recognises: () => true })
	const { url } = await gatewayTo(to, { platform: ['patient', 'quick'] }, [canonical, patient, quick])
	const answer = await call(`${url}/in`, undefined, { signal: AbortSignal.timeout(8000) })
	expect(await answer.json()).toMatchObject({ title: 'upstream-timeout' })
})

test("an upstream's own timeout may be shorter than the platform's", async () => {
	const { url: to } = await upstream(() => undefined)
	const config = {
		upstream: { url: to, timeout: 100 },
		routes: [{ name: 'in', path: '/in', platform: 'canonical', failure: says('Later, please') }],
	}
	const { url } = await gateway(config)
	const answer = await call(`${url}/in`)
	expect(await answer.json()).toMatchObject(says('Later, please'))
})

test('a late answer is dropped, and never goes to another turn', async () => {
	const { url: to } = await upstream(async ({ body }) => {
		const { text } = JSON.parse(body).event
		if (text.startsWith('late')) await wait(300)
		return json(says(text))
	})
	const config = { upstream: { url: to, timeout: 100 }, routes: [{ name: 'in', path: '/in', platform: 'canonical' }] }
	const { url } = await gateway(config)
	const turns = Array.from({ length: 60 }, async (_, i) => {
		const text = `${i % 3 === 0 ? 'late' : 'soon'} ${i}`
		await wait(i * 10)
		return { text, answer: await (await call(`${url}/in`, { kind: 'message', text })).json() }
	})
	let served = 0
	for (const { text, answer } of await Promise.all(turns)) {
		// A loaded machine may make any of them late, and several in a row a rest, but none may get another's words.
		if (text.startsWith('late')) expect(['upstream-timeout', 'upstream-circuit-open']).toContain(answer.title)
		else if (answer.title === undefined) {
			served++
			expect(answer).toMatchObject(says(text))
		}
	}
	expect(served).toBeGreaterThan(0)
})

test('an upstream that is down is distinguished from a slow one', async () => {
	const { url } = await gatewayTo(await nobody())
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-unreachable', status: 502 })
})

test.each([500, 404, 429, 301, 302, 307, 308, 304])(
	'status %d is an error, and no redirect is followed',
	async (status) => {
		const { url: elsewhere, calls: visits } = await upstream()
		const headers = [['location', elsewhere] as const, ['content-type', 'text/html'] as const]
		const { url: to, calls } = await upstream(() => ({ status, headers, body: status === 304 ? '' : '<h1>Oops</h1>' }))
		const { url } = await gatewayTo(to)
		const problem = await problemOf(url)
		const title = status >= 300 && status < 400 ? 'upstream-redirect' : 'upstream-status'
		expect(problem).toMatchObject({ title, upstreamStatus: status })
		expect(JSON.stringify(problem)).not.toContain('Oops')
		expect(calls).toHaveLength(1)
		expect(visits).toEqual([])
	},
)

test('the connection of a failing upstream is reused, unless its error page is endless', async () => {
	const failing = await upstream(() => ({ status: 500, headers: [], body: 'Oops' }))
	const { url } = await gatewayTo(failing.url)
	for (let i = 0; i < 5; i++) expect(await problemOf(url)).toMatchObject({ title: 'upstream-status' })
	expect(failing.connections).toBe(1)

	const ended = Promise.withResolvers<void>()
	const endless = await upstream(async (_, connection) => {
		await connection.write('HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n')
		while (connection.open) await connection.write(`10000\r\n${'x'.repeat(65_536)}\r\n`)
		ended.resolve()
	})
	const other = await gatewayTo(endless.url)
	expect(await problemOf(other.url)).toMatchObject({ title: 'upstream-status' })
	await ended.promise
})

test('the connection of a failing upstream is closed if its error page stops in the middle', async () => {
	const ended = Promise.withResolvers<void>()
	const { url: to } = await upstream(async (_, connection) => {
		await connection.write('HTTP/1.1 404 Not Found\r\ncontent-length: 99\r\n\r\nOo')
		await connection.gone
		ended.resolve()
	})
	const { url } = await gatewayTo(to)
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-status' })
	await ended.promise
})

test.each<[what: string, body: string | Buffer, headers: { [name: string]: string }, problem: object]>([
	['JSON that breaks off', '{"messages":[', {}, { because: 'body-not-json' }],
	['HTML', '<html>', { 'content-type': 'text/html' }, { because: 'body-not-json' }],
	['a reply of another shape', '{"message":"Hi"}', {}, { because: 'field-invalid', field: 'message' }],
	['plain text', 'Hello', {}, { because: 'body-not-json', field: 'body', expected: 'JSON' }],
	['an error page', ' <html>', {}, { field: 'body', expected: 'JSON; this looks like HTML or XML' }],
	['UTF-16', Buffer.from(hello, 'utf16le'), {}, { field: 'body', expected: 'UTF-8, and not UTF-16' }],
	['UTF-16 with a mark', Buffer.from(`\uFEFF${hello}`, 'utf16le'), {}, { expected: 'UTF-8, and not UTF-16' }],
	['UTF-16, big-endian', Buffer.from(hello, 'utf16le').swap16(), {}, { expected: 'UTF-8, and not UTF-16' }],
	['a list', `[${hello}]`, {}, { field: '(the whole body)', expected: 'an object' }],
	['an empty list', '[]', {}, { field: '(the whole body)', expected: 'an object' }],
	[
		'JSON in a JSON string',
		JSON.stringify(hello),
		{},
		{ field: '(the whole body)', expected: 'an object, encoded as JSON only once' },
	],
	[
		'a reply in an envelope',
		`{"version":1,"reply":${hello}}`,
		{},
		{ field: 'reply', expected: 'the reply itself as the body, without an envelope' },
	],
	['a reply in another envelope', `{"data":${hello}}`, {}, { field: 'data' }],
	[
		'an object without messages',
		'{"text":"hi"}',
		{},
		{ field: 'text', expected: expect.stringContaining('"messages" is missing') },
	],
	[
		'an object of other keys',
		'{"text":"hi","buttons":[],"speech":"hi"}',
		{},
		{
			field: 'text',
			mistakes: [
				{ field: 'text', expected: expect.stringContaining('"messages" is missing') },
				{ field: 'buttons', expected: 'no such field' },
				{ field: 'speech', expected: 'no such field' },
			],
		},
	],
	[
		'several unknown keys in one object',
		'{"messages":[],"atributes":{},"controll":{},"colour":1}',
		{},
		{
			field: 'atributes',
			mistakes: [
				{ field: 'atributes', expected: 'no such field; did you mean "attributes"?' },
				{ field: 'controll', expected: 'no such field; did you mean "control"?' },
				{ field: 'colour', expected: 'no such field' },
			],
		},
	],
	[
		'several unknown keys in several objects',
		'{"messages":[{"type":"text","text":"a","txt":1,"delai":2},{"type":"cards","cards":[{"title":"a","subtitel":"b","imageURL":"c"}]}]}',
		{},
		{
			mistakes: [
				{ field: 'messages[0].txt', expected: 'no such field; did you mean "text"?' },
				{ field: 'messages[0].delai', expected: 'no such field; did you mean "delay"?' },
				{ field: 'messages[1].cards[0].subtitel', expected: 'no such field; did you mean "subtitle"?' },
				{ field: 'messages[1].cards[0].imageURL', expected: 'no such field; did you mean "imageUrl"?' },
			],
		},
	],
	[
		'hundreds of unknown keys',
		JSON.stringify({ messages: [], ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, i])) }),
		{},
		{ field: 'key0', mistakes: expect.objectContaining({ length: 10 }), moreMistakes: 290 },
	],
	[
		'a reply with several relative addresses',
		'{"messages":[{"type":"image","url":"/a.png"},{"type":"image","url":"https://a.example/b.png"},{"type":"image","url":"c.png"}]}',
		{},
		{
			field: 'messages[0].url',
			mistakes: [{ field: 'messages[0].url' }, { field: 'messages[2].url' }],
		},
	],
	['a misspelt key', '{"mesages":[]}', {}, { field: 'mesages', expected: expect.stringContaining('"messages"') }],
	[
		'a misspelt key of a button',
		'{"messages":[{"type":"text","text":"a","buttons":[{"type":"link","titel":"a","url":"https://a.example"}]}]}',
		{},
		{
			field: 'messages[0].buttons[0].title',
			mistakes: [
				{ field: 'messages[0].buttons[0].title', missing: true, expected: 'a string' },
				{ field: 'messages[0].buttons[0].titel', expected: 'no such field; did you mean "title"?' },
			],
		},
	],
	[
		'many mistakes at once',
		JSON.stringify({ messages: Array.from({ length: 30 }, () => ({ type: 'text', text: 7 })) }),
		{},
		{
			field: 'messages[0].text',
			expected: 'a string',
			mistakes: expect.objectContaining({ length: 10 }),
			moreMistakes: 20,
		},
	],
	['a message without its text', '{"messages":[{"type":"text"}]}', {}, { field: 'messages[0].text' }],
	['hostile keys', '{"__proto__":{}}', {}, { because: 'reserved-key' }],
	['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, { field: 'body', expected: 'UTF-8' }],
	[
		'gzip, which was not asked for',
		gzipSync(Buffer.alloc(50_000_000)),
		{ 'content-encoding': 'gzip' },
		{ field: 'content-encoding', expected: 'identity' },
	],
])('%s is no reply', async (_, body, headers, problem) => {
	const all = Object.entries({ 'content-type': 'application/json', ...headers })
	const { url: to } = await upstream(() => bytesOf({ status: 200, headers: all, body }))
	const { url } = await gatewayTo(to)
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-reply-invalid', status: 502, ...problem })
})

test.each<[what: string, bytes: string, problem: object]>([
	['ends before its length', `${head}content-length: 99\r\n\r\n${hello}`, { field: 'body', expected: 'all of it' }],
	[
		'ends inside a chunk',
		`${head}transfer-encoding: chunked\r\n\r\n99\r\n${hello}`,
		{ field: 'body', expected: 'all of it' },
	],
	['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', { field: 'headers', expected: 'HTTP/1.1' }],
	['has a head without end', `${head}${'x: y\r\n'.repeat(20_000)}\r\n`, { field: 'headers', expected: 'HTTP/1.1' }],
	[
		'has two lengths',
		`${head}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
		{ field: 'headers', expected: 'HTTP/1.1' },
	],
	[
		'never comes behind its hints',
		'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100),
		{ field: 'headers', expected: 'HTTP/1.1' },
	],
	['says "continue" for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100), { field: 'headers', expected: 'HTTP/1.1' }],
	[
		'changes the protocol',
		`HTTP/1.1 101 Switched\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n`,
		{ field: 'headers', expected: 'HTTP/1.1' },
	],
])('an answer that %s is no reply', async (_, bytes, problem) => {
	const { url: to } = await upstream(async (_, { write, pause, socket }) => {
		await write(bytes)
		await pause(50)
		socket.destroy()
	})
	const { url } = await gatewayTo(to)
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-reply-invalid', status: 502, ...problem })
})

test('nothing of an answer is used if its connection is reset in the middle', async () => {
	const { url: to } = await upstream(async (_, { write, pause, socket }) => {
		await write(`${head}content-length: ${hello.length}\r\n\r\n${hello.slice(0, -1)}`)
		await pause(50)
		socket.resetAndDestroy()
	})
	const { url } = await gatewayTo(to)
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-reply-invalid', field: 'body' })
})

test.each(['declared', 'chunked'])('a reply over the limit is cut off quickly: %s', async (how) => {
	let written = 0
	const ended = Promise.withResolvers<void>()
	const framing = how === 'declared' ? `content-length: ${100 * limit}` : 'transfer-encoding: chunked'
	const blanks = ' '.repeat(65_536)
	const piece = how === 'declared' ? blanks : `10000\r\n${blanks}\r\n`
	const { url: to } = await upstream(async (_, connection) => {
		await connection.write(`${head}${framing}\r\n\r\n`)
		while (connection.open && written < 100 * limit) {
			written += piece.length
			await connection.write(piece)
		}
		await connection.gone
		ended.resolve()
	})
	const { url } = await gatewayTo(to)
	expect(await problemOf(url)).toMatchObject({ title: 'upstream-reply-too-large', status: 502, limit })
	await ended.promise
	// What the kernel's buffers hold was written, and never read.
	expect(written).toBeLessThan(20 * limit)
})

test.each(['declared', 'chunked'])('a reply at the limit is read, without its byte order mark: %s', async (how) => {
	const body = Buffer.alloc(limit, ' ')
	body.write(`\uFEFF${hello}`)
	const chunk = Buffer.concat([Buffer.from('100000\r\n'), body, Buffer.from('\r\n0\r\n\r\n')])
	const { url: to } = await upstream(() =>
		how === 'declared'
			? bytesOf({ status: 200, headers: [], body })
			: Buffer.concat([headOf(200, [['transfer-encoding', 'chunked']]), chunk]),
	)
	const { url } = await gatewayTo(to)
	expect(await (await call(`${url}/in`)).json()).toMatchObject(says('Hello'))
})

test('headers of a reply are not passed on', async () => {
	const names = ['set-cookie', 'x-any', 'location', 'strict-transport-security', 'dragoman-changes']
	const leaks = names.map((name) => [name, 'leak'] as const)
	const { url: to } = await upstream(() => json(says('Hello'), 200, leaks))
	const { url } = await gatewayTo(to)
	const answer = await call(`${url}/in`)
	expect(answer.status).toBe(200)
	expect([...answer.headers].flat()).not.toContain('leak')
})

test('an answer may follow informational responses', async () => {
	const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nset-cookie: leak\r\n\r\n'.repeat(3)
	const { url: to } = await upstream(() => `${hints}${head}content-length: ${hello.length}\r\n\r\n${hello}`)
	const { url } = await gatewayTo(to)
	const answer = await call(`${url}/in`)
	expect(await answer.json()).toMatchObject(says('Hello'))
	expect(answer.headers.has('set-cookie')).toBe(false)
})

const goOn = 'HTTP/1.1 100 Continue\r\n\r\n'
const early = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'
test.each<[what: string, pieces: readonly string[]]>([
	['once', [goOn]],
	['with headers', ['HTTP/1.1 100 Go On\r\nx: HTTP/1.1 100\r\nserver: 100\r\n\r\n']],
	['without a reason', ['HTTP/1.1 100 \r\n\r\n']],
	['twice', [goOn, goOn]],
	['before and after a hint', [goOn + early, goOn]],
	['byte by byte', [...goOn]],
	['in two pieces', ['HTTP/1.1 10', '0 Continue\r\n\r\n']],
])('an unasked "100 Continue" is skipped, and the connection serves on: %s', async (_, pieces) => {
	// What looks like one inside a body stays what it is.
	const words = JSON.stringify(says(`${goOn}HTTP/1.1 100 Continue`))
	const backend = await upstream(async (_, { write, pause }) => {
		for (const piece of pieces) {
			await write(piece)
			await pause(2)
		}
		await write(`${head}content-length: ${words.length}\r\n\r\n`)
		await pause(20)
		return words
	})
	const { url } = await gatewayTo(backend.url)
	for (let i = 0; i < 3; i++) {
		expect(await (await call(`${url}/in`)).json()).toMatchObject(says(`${goOn}HTTP/1.1 100 Continue`))
	}
	expect(backend.connections).toBe(1)
})

test('a body that begins like a "100 Continue" stays as it is', async () => {
	const body = 'HTTP/1.1 100 Continue'
	const { url: to } = await upstream(async (_, { write, pause }) => {
		await write(`${head}content-length: ${body.length}\r\n\r\n`)
		await pause(20)
		return body
	})
	const { send, close } = createSender()
	onTestFinished(close)
	const sent = { method: 'POST', headers: [], body: 'Hi', timeout: 5000, maxBytes: 1000, onlyPublic: false }
	expect(await send({ url: to, reads: 'reply', ...sent })).toMatchObject({ status: 200, body })
})

test('calls of many turns share few connections', async () => {
	const backend = await upstream()
	const { url } = await gatewayTo(backend.url)
	for (let i = 0; i < 20; i++) expect((await call(`${url}/in`)).status).toBe(200)
	expect(backend.calls).toHaveLength(20)
	expect(backend.connections).toBe(1)
})
