/** What only the built Worker can meet: storage that cannot be reached, and a configuration that is wrong. */
import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { dial } from '../harness/sockets.ts'
import { bytesOf, type Script } from '../harness/upstream.ts'
import { json, says, start, testScope, upstream } from '../servers.ts'
import { example } from './config.ts'
import { suiteScripts } from './upstream.ts'

const said = (text: string, more: object = {}) =>
	JSON.stringify({ event: { kind: 'message', text, conversation: 'c1', ...more } })

/** Objects of which nothing answers as it should. */
const unreachable = `
	import { DurableObject } from 'cloudflare:workers'
	export { default } from './bundle.js'
	export class Conversation extends DurableObject {
		begin() { throw new Error('the object is gone') }
		settle() { throw new Error('the object is gone') }
	}`

test('with unreachable objects, turns continue and no answer is wrong', {
	timeout: 120_000,
}, async () => {
	const backend = await upstream(suiteScripts())
	const route = { name: 'in', path: '/in', platform: 'canonical', open: true }
	const { send, lines } = await start(
		{ upstream: { url: `${backend.url}/echo` }, routes: [route] },
		{ as: 'worker', front: unreachable },
	)
	const again = { path: '/in', body: said('choices', { id: 'm1' }) }
	expect((await send(again)).status).toBe(200)
	expect((await send(again)).status).toBe(200)
	// The label is not known again: it is passed on as what it is, words.
	expect((await send({ path: '/in', body: said('Grün 🎈') })).body).toContain('You said: Grün 🎈')
	expect(backend.calls).toHaveLength(3)
	const told = () => lines.filter(({ msg }) => msg === 'state')
	await expect.poll(() => told().length).toBe(6)
	expect(told().map(({ did }) => did)).toEqual([...['begin', 'settle'], ...['begin', 'settle'], ...['begin', 'settle']])
	expect(told().map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 5, 6])
	const turns = () => lines.filter(({ msg }) => msg === 'turn').map(({ level }) => level)
	await expect.poll(turns).toEqual(['info', 'info', 'info'])
})

/** Objects that log each call. */
const counting = `
	import worker, { Conversation as Base } from './bundle.js'
	export class Conversation extends Base {}
	for (const did of ['begin', 'beginNext', 'settle', 'addLateReply', 'takeLateReplies', 'enqueue', 'settleDelivery']) {
		Conversation.prototype[did] = function (...args) {
			console.log(JSON.stringify({ level: 'info', msg: 'object called', did }))
			return Base.prototype[did].apply(this, args)
		}
	}
	export default worker`

test('a turn calls its object once before the upstream and once after it, and not for nothing', {
	timeout: 120_000,
}, async () => {
	const backend = await upstream(suiteScripts())
	const route = { platform: 'canonical', open: true }
	const holding = { after: 5000, reply: { messages: [{ type: 'text', text: 'Wait' }] } }
	const { send, lines } = await start(
		{
			upstream: { url: `${backend.url}/echo` },
			routes: [
				{ ...route, name: 'in', path: '/in' },
				{ ...route, name: 'late', path: '/late', late: holding },
			],
		},
		{ as: 'worker', front: counting },
	)
	const turns: readonly (readonly [what: string, path: string, event: object, calls: readonly string[]])[] = [
		['a message', '/in', { kind: 'message', text: 'choices', id: 'm1', conversation: 'c1' }, ['begin', 'settle']],
		['the same again', '/in', { kind: 'message', text: 'choices', id: 'm1', conversation: 'c1' }, ['begin']],
		['a message without an id', '/in', { kind: 'message', text: 'Hi', conversation: 'c1' }, ['begin', 'settle']],
		['a start', '/in', { kind: 'start', id: 'm2', conversation: 'c1' }, ['begin', 'settle']],
		['a start without an id', '/in', { kind: 'start', conversation: 'c1' }, ['begin', 'settle']],
		['a notice', '/in', { kind: 'notice', id: 'm3', conversation: 'c1' }, ['begin', 'settle']],
		['a notice without an id', '/in', { kind: 'notice', conversation: 'c1' }, ['settle']],
		['a message of no conversation', '/in', { kind: 'message', text: 'Hi', id: 'm4' }, ['begin', 'settle']],
		['one that nothing identifies', '/in', { kind: 'message', text: 'Hi' }, []],
		[
			'a message where late replies are shown',
			'/late',
			{ kind: 'message', text: 'Hi', id: 'm1', conversation: 'c1' },
			['begin', 'takeLateReplies', 'settle'],
		],
	]
	const calls: (readonly string[])[] = []
	for (const [what, path, event] of turns) {
		const from = lines.length
		expect([what, (await send({ path, body: JSON.stringify({ event }) })).status]).toEqual([what, 200])
		// The line of the turn is its last.
		await expect.poll(() => lines.slice(from).some(({ msg }) => msg === 'turn')).toBe(true)
		calls.push(lines.slice(from).flatMap(({ msg, did }) => (msg === 'object called' ? String(did) : [])))
	}
	expect(turns.map(([what], i) => [what, calls[i]])).toEqual(turns.map(([what, , , expected]) => [what, expected]))
})

/** Objects that can be ended from outside, as a deployment ends them. */
const restarting = `
	import worker, { Conversation as Base } from './bundle.js'
	export class Conversation extends Base { restart() { this.ctx.abort('restart') } }
	export default {
		async fetch(request, env) {
			const { pathname, searchParams } = new URL(request.url)
			if (pathname !== '/restart') return worker.fetch(request, env)
			const { CONVERSATIONS } = env
			await CONVERSATIONS.get(CONVERSATIONS.idFromName(searchParams.get('name'))).restart().catch(() => {})
			return new Response()
		},
		queue: worker.queue
	}`

test('a repeated call that waits while its object restarts does not reach the backend', {
	timeout: 120_000,
}, async () => {
	const answers: (() => void)[] = []
	const backend = await upstream(async () => {
		await new Promise<void>((answer) => answers.push(answer))
		return json(says('Hello'))
	})
	const route = { name: 'in', path: '/in', platform: 'canonical', open: true }
	const { send, lines } = await start(
		{ upstream: { url: backend.url }, routes: [route] },
		{ as: 'worker', front: restarting },
	)
	const event = { path: '/in', body: said('Hi', { id: 'm1' }) }
	const first = send(event)
	await expect.poll(() => answers.length).toBe(1)
	const repeated = [1, 2].map(() => send(event))
	await new Promise((waiting) => setTimeout(waiting, 500))
	await send({ path: '/restart', query: [['name', 'in c1']] })
	const broken = () => lines.filter(({ msg, did }) => msg === 'state' && did === 'begin')
	await expect.poll(() => broken().length).toBe(2)
	await new Promise((waiting) => setTimeout(waiting, 500))
	for (const answer of answers) answer()
	const all = await Promise.all([first, ...repeated])
	expect(all.map(({ status, body }) => [status, body])).toEqual(all.map(() => [200, all[0]?.body]))
	expect(backend.calls).toHaveLength(1)
})

/** Objects and a queue that take no event. */
const refusing = `
	import { DurableObject } from 'cloudflare:workers'
	import worker from './bundle.js'
	const EVENTS = { send() { throw new Error('the queue is gone') } }
	export default { fetch: (request, bindings) => worker.fetch(request, { ...bindings, EVENTS }) }
	export class Conversation extends DurableObject {
		begin() { return { fence: 1, open: [] } }
		settle() { return true }
		enqueue() { throw new Error('the disk is full') }
	}`

/** A notice of a platform that reads no answer, of about so many bytes: without a conversation, or with one. */
const notices: readonly (readonly [what: string, platform: string, body: (size: number) => string])[] = [
	['of no conversation', 'snatchbot-webhook', (size) => JSON.stringify({ time: '', data: 'x'.repeat(size) })],
	[
		'of a conversation',
		'pingstreams',
		(size) =>
			JSON.stringify({
				event: 'message.create',
				timestamp: 1,
				payload: { _id: 'm1', text: 'x'.repeat(size), sender: 'u1', recipient: 'c1', request: { request_id: 'c1' } },
			}),
	],
]
const oneWay = notices.map(([, platform]) => ({ name: platform, path: `/${platform}`, platform, open: true }))

test('an event that cannot be stored is never acknowledged', { timeout: 120_000 }, async () => {
	const backend = await upstream(suiteScripts())
	const { send, lines } = await start(
		{ upstream: { url: `${backend.url}/echo` }, routes: oneWay },
		{ as: 'worker', front: refusing },
	)
	for (const [what, platform, body] of notices) {
		const got = await send({ path: `/${platform}`, body: body(1) })
		expect([what, got.status, JSON.parse(got.body).title]).toEqual([what, 503, 'outbox-failed'])
	}
	const causes = () => lines.filter(({ msg }) => msg === 'outbox').map(({ cause }) => cause)
	await expect.poll(causes).toEqual(['the queue is gone', 'the disk is full'])
	expect(backend.calls).toEqual([])
})

test('an event over the queue’s limit is rejected, and one below is delivered', { timeout: 120_000 }, async () => {
	const backend = await upstream(suiteScripts())
	const outbox = { file: 'outbox.db' }
	const { send, lines } = await start(
		{ upstream: { url: `${backend.url}/echo` }, routes: oneWay, outbox },
		{ as: 'worker' },
	)
	const statuses: (readonly [what: string, size: number, status: number])[] = []
	for (const [what, platform, body] of notices) {
		for (const size of [120_000, 130_000]) {
			const { status } = await send({ path: `/${platform}`, body: body(size) })
			statuses.push([what, size, status])
		}
	}
	expect(statuses).toEqual([
		['of no conversation', 120_000, 200],
		['of no conversation', 130_000, 413],
		['of a conversation', 120_000, 200],
		['of a conversation', 130_000, 200],
	])
	await expect.poll(() => backend.calls).toHaveLength(3)
	await expect.poll(() => lines.filter(({ error }) => error === 'event-too-large')).toHaveLength(1)
	// The configuration is one for both runtimes, and only Node makes use of all of it.
	expect(lines[0]).toMatchObject({ level: 'warn', msg: 'config', warning: expect.stringContaining('outbox: ') })
})

test('bodies beyond the budget of an instance are refused, and a stranger’s body is not waited for', {
	timeout: 120_000,
}, async () => {
	const mebibyte = 1024 * 1024
	const env = { SECRET: 'sEcReT-sEcReT-1234' }
	const routes = [
		{ name: 'open', path: '/open', platform: 'canonical', open: true },
		{ name: 'large', path: '/large', platform: 'pingstreams', secrets: [{ env: 'SECRET' }] },
	]
	const limits = { bodiesAtOnce: 16 * mebibyte }
	const { url, send } = await start({ upstream: { url: 'builtin:demo' }, routes, limits }, { as: 'worker', env })
	const head = (path: string, length: number) =>
		`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
	const stranger = dial(testScope, url)
	stranger.socket.write(`${head('/large/wrong', 8 * mebibyte)}{`)
	await expect.poll(stranger.received).toMatch(/^HTTP\/1\.1 404 /)
	const large = { path: '/open', body: said('x'.repeat(mebibyte / 2)) }
	expect((await send(large)).status).toBe(200)
	const held = Array.from({ length: 8 }, () => dial(testScope, url))
	for (const { socket } of held) {
		socket.write(head(`/large/${env.SECRET}`, 2 * mebibyte) + ' '.repeat(2 * mebibyte - 1))
	}
	await expect.poll(async () => (await send(large)).status, { timeout: 10_000 }).toBe(503)
	const { headers, body } = await send(large)
	expect(headers).toContainEqual(['retry-after', '1'])
	expect(JSON.parse(body)).toMatchObject({ title: 'too-many-bodies', limit: limits.bodiesAtOnce })
	expect((await send({ path: '/open', body: said('Hi') })).status).toBe(200)
	for (const { socket } of held) socket.destroy()
	await expect.poll(async () => (await send(large)).status, { timeout: 10_000 }).toBe(200)
})

/** Hands over the URL of a header as workerd does without a front: as it was sent. */
const unresolved = `
	import worker from './bundle.js'
	export { Conversation } from './bundle.js'
	export default {
		fetch(request, bindings) {
			const url = request.headers.get('x-url')
			const sent = new Proxy(request, {
				get(target, name) {
					const value = name === 'url' ? url : target[name]
					return typeof value === 'function' ? value.bind(target) : value
				},
			})
			return worker.fetch(sent, bindings)
		},
		queue: worker.queue,
	}`

test('a path has one spelling, if the URL arrives as it was sent', { timeout: 120_000 }, async () => {
	const env = { SECRET: 'sEcReT-sEcReT-1234' }
	const secrets = [{ env: 'SECRET' }]
	const routes = [
		{ name: 'ca', path: '/ca', platform: 'canonical', secrets },
		{ name: 'cb', path: '/cb', platform: 'chatbot-v1', secrets },
	]
	const { send } = await start({ upstream: { url: 'builtin:demo' }, routes }, { as: 'worker', env, front: unresolved })
	const statusOf = async (path: string, method: string, origin = 'http://gateway.test'): Promise<number> => {
		const body = method === 'GET' ? '' : said('Hi')
		return (await send({ method, path: '/', headers: [['x-url', `${origin}${path}`]], body })).status
	}
	for (const [method, path] of [
		['POST', `/ca/${env.SECRET}`],
		['GET', `/-/carries/ca/${env.SECRET}`],
	] as const) {
		expect(await statusOf(path, method, 'https://gateway.test:8443')).toBe(200)
		const [, name = '', ...rest] = path.split('/')
		const others = [
			...[`/x/..${path}`, `/.${path}`, `/./${path}`, `/%2e${path}`, `/%2E${path}`, `/x/%2e%2e${path}`, `/${path}`],
			...[`${path}#x`, `${path}/`, `${path}/.`, `${path}/x/..`, `\\${path.slice(1)}`, `/x\\..${path}`],
			...[
				`/${name}\\${rest.join('/')}`,
				`/%${name.charCodeAt(0).toString(16)}${path.slice(2)}`,
				`/${name}/./${rest.join('/')}`,
			],
			`${path}\\`,
		]
		for (const other of others) expect([other, await statusOf(other, method)]).toEqual([other, 404])
	}
	for (const query of [`?token=${env.SECRET}#x`, `#?token=${env.SECRET}`, `/?token=${env.SECRET}`]) {
		expect([query, await statusOf(`/cb${query}`, 'POST')]).toEqual([query, 404])
	}
})

test('with a wrong configuration every call fails, and the log has every mistake once', {
	timeout: 120_000,
}, async () => {
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', secrets: [{ env: 'GONE' }], colour: 'red' }]
	const { send, lines } = await start({ upstream: { url: 'builtin:demo' }, routes }, { as: 'worker' })
	for (let calls = 0; calls < 3; calls++) {
		const { status, body } = await send({ path: '/in', body: said('Hi') })
		expect([status, JSON.parse(body).title]).toEqual([500, 'internal'])
		expect(body).not.toContain('GONE')
	}
	await expect.poll(() => lines).toMatchObject([{ level: 'error', msg: 'config' }])
	expect(lines[0]?.mistakes).toEqual([
		expect.stringContaining('routes[0].colour: '),
		expect.stringContaining('routes[0].secrets[0].env: '),
	])
})

/** Puts an event into the queue at each call, and logs what its consumer sends there. */
const queueing = `
	import worker from './bundle.js'
	export { Conversation } from './bundle.js'
	const EVENTS = {
		send({ id, history }, { delaySeconds }) {
			console.log(JSON.stringify({ level: 'info', msg: 'sent', id, failed: history.failed, delaySeconds }))
		}
	}
	export default {
		async fetch(request, bindings) {
			await bindings.EVENTS.send({ id: 'turn_1', route: 'in' })
			return new Response()
		},
		queue: (batch, bindings) => worker.queue(batch, { ...bindings, EVENTS })
	}`

test('with a wrong configuration an event in the queue waits, and uses up no attempt', {
	timeout: 120_000,
}, async () => {
	const { send, lines } = await start(
		{ upstream: { url: 'builtin:demo' }, routes: [] },
		{ as: 'worker', front: queueing },
	)
	await send({ path: '/' })
	await expect
		.poll(() => lines)
		.toMatchObject([
			{ level: 'error', msg: 'config', mistakes: [expect.stringContaining('routes: ')] },
			{ msg: 'sent', id: 'turn_1', failed: 0, delaySeconds: 300 },
		])
})

test('attempts follow the schedule of the configuration', { timeout: 120_000 }, async () => {
	const backend = await upstream(suiteScripts())
	const outbox = { file: 'outbox.db', schedule: ['0s', '100ms'] }
	const { send, lines } = await start(
		{ upstream: { url: `${backend.url}/404` }, routes: oneWay, outbox },
		{ as: 'worker' },
	)
	for (const [, platform, body] of notices) await send({ path: `/${platform}`, body: body(1) })
	const tried = () =>
		lines.filter(({ msg }) => msg === 'delivery').map(({ route, attempt, dead }) => [route, attempt, dead])
	await expect
		.poll(() => tried().toSorted())
		.toEqual([
			['pingstreams', 1, undefined],
			['pingstreams', 2, true],
			['snatchbot-webhook', 1, undefined],
			['snatchbot-webhook', 2, true],
		])
	expect(backend.calls).toHaveLength(4)
})

test('a route without a secret must be declared open, because a Worker is reachable from everywhere', {
	timeout: 120_000,
}, async () => {
	const routes = [{ name: 'in', path: '/in', platform: 'canonical' }]
	const { send, lines } = await start({ upstream: { url: 'builtin:demo' }, routes }, { as: 'worker' })
	expect((await send({ path: '/in', body: said('Hi') })).status).toBe(500)
	await expect.poll(() => lines).toMatchObject([{ msg: 'config' }])
	expect(String(lines[0]?.mistakes)).toContain('routes[0].secrets: is required')
})

test('a Worker warns that it cannot check the addresses of a public upstream', {
	timeout: 120_000,
}, async () => {
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', open: true }]
	const upstream = { url: 'https://backend.example/', public: true }
	const { send, lines } = await start({ upstream, routes }, { as: 'worker' })
	expect((await send({ method: 'GET', path: '/in' })).status).toBe(405)
	await expect.poll(() => lines[0]).toMatchObject({ level: 'warn', msg: 'config' })
	expect(lines[0]?.warning).toContain('public: ')
})

test('a compressed reply is read where the runtime decodes it, within the limit of the decoded bytes', {
	timeout: 120_000,
}, async () => {
	const reply = JSON.stringify(says('Hello '.repeat(1000)))
	const bomb = Buffer.alloc(50_000_000, ' ')
	const coded = (coding: string, body: Buffer): Script => {
		const headers = [['content-type', 'application/json'] as const, ['content-encoding', coding] as const]
		return () => bytesOf({ status: 200, headers, body })
	}
	const replies: { readonly [name: string]: readonly [expected: string, script: Script] } = {
		gzip: ['Hello Hello', coded('gzip', gzipSync(reply))],
		br: ['Hello Hello', coded('br', brotliCompressSync(reply))],
		identity: ['Hello Hello', coded('identity', Buffer.from(reply))],
		'a-bomb': ['upstream-reply-too-large', coded('gzip', gzipSync(bomb))],
		'a-bomb-in-br': ['upstream-reply-too-large', coded('br', brotliCompressSync(bomb))],
		'cut-off': ['upstream-reply-invalid', coded('gzip', gzipSync(reply).subarray(0, 30))],
		'not-compressed': ['upstream-reply-invalid', coded('gzip', Buffer.from(reply))],
		...Object.fromEntries(
			['GZIP', 'x-gzip', 'deflate', 'zstd', 'gzip, gzip'].map((coding, i) => [
				`undecoded-${i}`,
				['upstream-reply-invalid', coded(coding, gzipSync(reply))] as const,
			]),
		),
	}
	const names = Object.keys(replies)
	const backend = await upstream(
		Object.fromEntries(names.map((name) => [`/${name}`, replies[name]?.[1] ?? coded('', bomb)])),
	)
	const routes = names.map((name) => ({
		...{ name, path: `/${name}`, platform: 'canonical', open: true },
		upstream: { url: `${backend.url}/${name}` },
	}))
	const { send } = await start({ routes }, { as: 'worker' })
	for (const name of names) {
		expect((await send({ path: `/${name}`, body: said('Hi') })).body, name).toContain(replies[name]?.[0])
	}
})

test('config/worker.json is config/gateway.json with its routes open', () => {
	const worker = JSON.parse(readFileSync(new URL('../../config/worker.json', import.meta.url), 'utf8'))
	expect(worker).toEqual({ ...example, routes: example.routes.map((route) => ({ ...route, open: true })) })
})

/** A dataset that logs each data point. */
const measuring = `
	import worker from './bundle.js'
	export { Conversation } from './bundle.js'
	const METRICS = {
		writeDataPoint: (point) => console.log(JSON.stringify({ level: 'info', msg: 'data point', ...point }))
	}
	export default { fetch: (request, env, context) => worker.fetch(request, { ...env, METRICS }, context) }`

test('each turn, call and refusal is a data point, with names and numbers and nothing that a user wrote', {
	timeout: 120_000,
}, async () => {
	const backend = await upstream({
		'/well': () => json(says('Hi')),
		'/ill': () => ({ status: 500, headers: [], body: '' }),
	})
	const route = { platform: 'chatbot-v2', options: { text: 'question' }, open: true }
	const { send, lines } = await start(
		{
			upstream: { url: `${backend.url}/well` },
			routes: [
				{ ...route, name: 'in', path: '/in' },
				{ ...route, name: 'failing', path: '/failing', upstream: { url: `${backend.url}/ill` } },
			],
		},
		{ as: 'worker', front: measuring },
	)
	const body = JSON.stringify({ chatId: 'c-secret', messageId: 'm1', attributes: { question: 'words-of-a-user' } })
	for (const path of ['/in', '/in', '/failing', '/nowhere']) await send({ path, body })
	const points = () => lines.filter(({ msg }) => msg === 'data point')
	await expect.poll(() => points().length).toBe(6)
	expect(points().map(({ blobs, indexes }) => [blobs, indexes])).toEqual([
		[['call', 'in', '', 'ok', ''], ['in']],
		[['turn', 'in', 'chatbot-v2', 'answered', ''], ['in']],
		[['turn', 'in', 'chatbot-v2', 'duplicate', ''], ['in']],
		[['call', 'failing', '', 'failed', 'upstream-status'], ['failing']],
		[['turn', 'failing', 'chatbot-v2', 'failed', 'upstream-status'], ['failing']],
		[['refusal', '', '', 'refused', 'not-found'], ['']],
	])
	for (const { doubles } of points()) expect(doubles).toEqual(Array(4).fill(expect.any(Number)))
	expect(JSON.stringify(points())).not.toMatch(/c-secret|m1|words-of-a-user/)
})
