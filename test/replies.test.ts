/** Replies that a backend sends by itself: what it gets for them, and what is stored to be pushed. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { GatewayError } from '../src/errors.ts'
import { judgeStatus, type Push, type WireResponse } from '../src/format/index.ts'
import type { Deliveries, EventDelivery, PushDelivery } from '../src/runtime.ts'
import { type Call, message } from './harness/http.ts'
import { folder } from './harness/scope.ts'
import { pageAt } from './pages.ts'
import { header, ownJson, says, start, statusOnly, testScope, upstream } from './servers.ts'

const token = 'canary-of-a-platform-token'
const text = (said: string) => ({ type: 'text', text: said })

const carries = { 'reply.messages': {}, 'reply.text': { chars: 40 } }

/** Pushes to this API that carry texts only: each message is a call. */
const pushTo = (api: string): Push => ({
	carries,
	address: (_, { attributes }) => (attributes.unaddressed ? undefined : { token, bot: attributes.bot ?? 'b1' }),
	target: (address) => ({
		api,
		headers: [['authorization', JSON.stringify(address)]],
		leg: {
			carries,
			decode: (calls) => ({
				model: { messages: calls.map(({ body }) => JSON.parse(body)), attributes: { session: {}, user: {} } },
				unread: [],
			}),
			encode: ({ messages }) =>
				messages.map((each) => ({ method: 'POST', path: '/say', headers: [], body: JSON.stringify(each) })),
		},
		judge: ({ status }) => judgeStatus(status),
	}),
})
const push = pushTo('https://api.example')

const { describesTurn: _, ...foreign } = canonical.create().event
const adapters = [
	canonical,
	ownJson('pushed', { push }),
	ownJson('mute', {}),
	ownJson('foreign', { event: foreign }),
	ownJson('wordless', { reply: () => undefined, push }),
]

const keys = { KEY: randomBytes(32).toString('base64'), OLD: randomBytes(32).toString('base64') }
const hour = 3_600_000

/** A gateway whose outbox keeps what it accepts. */
async function gateway({
	names = ['pushed', 'mute'],
	more = {},
	settings = { publicUrl: 'https://bots.example/gateway', replyUrl: { keys: [{ env: 'KEY' }], expiry: '1h' } },
	upstreamAdapter = 'canonical',
	env = keys,
	accept = async () => {},
	clock = Date.now,
}: {
	readonly names?: readonly string[]
	readonly more?: object
	readonly settings?: object
	readonly upstreamAdapter?: string
	readonly env?: { readonly [name: string]: string }
	readonly accept?: (deliveries: Deliveries) => Promise<void>
	readonly clock?: () => number
} = {}) {
	const backend = await upstream()
	const [accepted, events]: [PushDelivery[], EventDelivery[]] = [[], []]
	const config = {
		upstream: { url: backend.url, adapter: upstreamAdapter },
		...settings,
		routes: names.map((name) => ({ name, path: `/${name}`, platform: name, open: true, ...more })),
	}
	const outbox = {
		async accept(deliveries: Deliveries) {
			await accept(deliveries)
			accepted.push(...deliveries.filter((each) => 'call' in each))
			events.push(...deliveries.filter((each) => 'request' in each))
		},
	}
	const { send, lines } = await start(config, { as: 'inside', adapters, env, replace: () => ({ outbox, now: clock }) })
	/** The URL for replies to an event of a conversation, as a path. */
	const urlFor = async (name: string, event: object = {}): Promise<string> => {
		await send({ path: `/${name}`, body: message('Hi', { conversation: 'c1', ...event }) })
		const { turn } = JSON.parse(backend.calls.at(-1)?.body ?? '')
		return turn.replyUrl?.replace('https://bots.example/gateway', '')
	}
	const post = (path: string, body: unknown, headers: Call['headers'] = []) =>
		send({ path, body: typeof body === 'string' ? body : JSON.stringify(body), headers })
	return { send, post, urlFor, lines, accepted, events, backend }
}

const read = ({ body }: WireResponse) => JSON.parse(body)

test('a reply to the URL of an event is stored to be pushed, as often as it comes', async () => {
	const { post, urlFor, accepted, lines } = await gateway()
	const url = await urlFor('pushed', { attributes: { bot: 'b7' } })
	expect(url).toMatch(/^\/-\/reply\/[\w.-]+$/)
	const first = await post(url, { messages: [text('One'), text('Two')] })
	expect(first.status).toBe(202)
	expect(read(first)).toEqual({ id: expect.stringMatching(/^turn_[\w-]{36}$/), changes: [] })
	const second = await post(url, says('Three'))
	expect(second.status).toBe(202)
	expect(accepted.map(({ call }) => JSON.parse(call.body).text)).toEqual(['One', 'Two', 'Three'])
	expect(new Set(accepted.map(({ id }) => id)).size).toBe(3)
	for (const each of accepted) {
		expect(each).toMatchObject({ route: 'pushed', platform: 'pushed', conversation: 'pushed c1' })
		expect(each.address).toEqual({ token, bot: 'b7' })
		expect(each.id).toContain(String(read(each.call.body.includes('Three') ? second : first).id))
	}
	expect(lines.filter(({ msg }) => msg === 'reply')).toMatchObject([
		{ level: 'info', turn: read(first).id, route: 'pushed', platform: 'pushed', status: 202 },
		{ level: 'info', turn: read(second).id, status: 202 },
	])
})

test('a backend is told what the platform will not show, losses first', async () => {
	const { post, urlFor, accepted, lines } = await gateway()
	const reply = { messages: [text('x'.repeat(50)), { type: 'image', url: 'https://a.example/b.png' }] }
	const answer = await post(await urlFor('pushed'), { ...reply, attributes: { session: { a: 1 } } })
	const changes = read(answer).changes
	expect(changes).toEqual(
		expect.arrayContaining([{ path: 'attributes.session.a', feature: expect.anything(), did: 'dropped' }]),
	)
	const kinds: string[] = changes.map(({ did }: { did: string }) => did)
	expect(kinds).toEqual([...kinds].sort((a, b) => Number(b === 'dropped') - Number(a === 'dropped')))
	expect(kinds.length).toBeGreaterThan(1)
	expect(accepted.length).toBeGreaterThan(1)
	expect(lines.at(-1)).toMatchObject({
		msg: 'reply',
		changes: expect.arrayContaining(['dropped attributes.session.a']),
	})
})

test('a strict route refuses what would be lost, and names it', async () => {
	const { post, urlFor, accepted, lines } = await gateway({ more: { policy: 'strict' }, names: ['pushed'] })
	const url = await urlFor('pushed')
	const answer = await post(url, { messages: [{ type: 'image', url: 'https://a.example/b.png' }] })
	expect(answer.status).toBe(422)
	expect(read(answer)).toMatchObject({
		title: 'posted-reply-does-not-fit',
		changes: ['converted messages[0]'],
	})
	expect(accepted).toEqual([])
	expect((await post(url, says('Hello'))).status).toBe(202)
	expect(lines.filter(({ msg }) => msg === 'reply')).toMatchObject([{ level: 'warn' }, { level: 'info' }])
})

test('nothing can be pushed where the platform takes nothing, or the call said too little', async () => {
	const { post, urlFor, accepted } = await gateway()
	for (const url of [await urlFor('mute'), await urlFor('pushed', { attributes: { unaddressed: true } })]) {
		const answer = await post(url, says('Hello'))
		expect([answer.status, read(answer).title]).toEqual([422, 'push-not-supported'])
	}
	expect(accepted).toEqual([])
})

test('there is a URL only for a conversation, and where the upstream is told of turns', async () => {
	const { urlFor, send, events } = await gateway({ names: ['pushed', 'wordless'] })
	expect(await urlFor('pushed', { conversation: undefined })).toBeUndefined()
	await send({ path: '/wordless', body: message('Hi', { conversation: 'c1' }) })
	expect(JSON.parse(events[0]?.request.body ?? '').turn.replyUrl).toContain('/-/reply/')
	const foreign = await gateway({ upstreamAdapter: 'foreign' })
	expect(await foreign.urlFor('pushed')).toBeUndefined()
})

test('without a public URL or keys there is no URL', async () => {
	const backend = await upstream()
	const route = { name: 'in', path: '/in', platform: 'pushed', open: true }
	for (const settings of [{}, { publicUrl: 'https://a.example' }, { replyUrl: { keys: [{ env: 'KEY' }] } }]) {
		const config = { upstream: { url: backend.url }, ...settings, routes: [route] }
		const { send } = await start(config, { as: 'inside', adapters, env: keys })
		await send({ path: '/in', body: message('Hi', { conversation: 'c1' }) })
		expect(JSON.parse(backend.calls.at(-1)?.body ?? '').turn.replyUrl).toBeUndefined()
	}
})

test('every mistake of a reply is named at once, as in an answer to an event', async () => {
	const { post, urlFor, accepted, lines } = await gateway()
	const url = await urlFor('pushed')
	const cases: readonly (readonly [number, object, unknown])[] = [
		[400, { title: 'body-not-json', field: 'body', expected: 'JSON; this looks like HTML or XML' }, '<html>'],
		[400, { title: 'body-not-json', field: 'body', expected: 'JSON' }, '{"messages":['],
		[
			400,
			{ title: 'field-invalid', mistakes: [{ field: 'messages[0].text' }, { field: 'messages[1].type' }] },
			{ messages: [{ type: 'text', text: 5 }, { type: 'txt' }] },
		],
		[400, { title: 'field-invalid', field: '(the whole body)', expected: 'an object' }, '[]'],
		[400, { title: 'field-invalid', field: 'reply' }, { reply: says('Hello') }],
		[400, { title: 'reserved-key' }, '{"messages":[],"__proto__":{}}'],
		[413, { title: 'body-too-large', limit: 1024 * 1024 }, 'x'.repeat(1024 * 1024 + 1)],
	]
	for (const [status, problem, body] of cases) {
		const answer = await post(url, body)
		expect(read(answer)).toMatchObject(problem)
		expect(answer.status).toBe(status)
	}
	expect(accepted).toEqual([])
	expect(lines.filter(({ msg }) => msg === 'reply').map(({ error }) => error)).toEqual(
		cases.map(([, problem]) => Object.values(problem)[0]),
	)
	for (const nothing of ['', '{}', '{"messages":[]}']) {
		expect(read(await post(url, nothing))).toMatchObject({ changes: [] })
	}
	expect(accepted).toEqual([])
})

test('with an idempotency key, a reply that comes again has the same answer and no effect', async () => {
	const { post, urlFor, accepted, lines } = await gateway()
	const [url, again] = [await urlFor('pushed'), await urlFor('pushed')]
	const key = (value: string) => [['idempotency-key', value]] as const
	const answers = [
		await post(url, says('Hello'), key('"one"')),
		...(await Promise.all([1, 2, 3].map(() => post(url, says('Hello'), key('"one"'))))),
		await post(again, says('Hello'), key('"one"')),
	]
	expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
	expect(answers[0]?.headers.map(([name]) => name)).not.toContain('body-sha256')
	expect(accepted).toHaveLength(1)
	expect(lines.filter(({ msg, duplicate }) => msg === 'reply' && duplicate)).toHaveLength(4)

	const reused = await post(url, says('Other'), key('"one"'))
	expect([reused.status, read(reused).title]).toEqual([422, 'idempotency-key-reused'])
	expect((await post(url, says('Other'), key('"two"'))).status).toBe(202)
	// Of another conversation, it is another key.
	expect((await post(await urlFor('pushed', { conversation: 'c2' }), says('Other'), key('"one"'))).status).toBe(202)
	expect(accepted).toHaveLength(3)
})

test('replies at the same moment with one key are one', async () => {
	const storing = Promise.withResolvers<void>()
	const { post, urlFor, accepted } = await gateway({ accept: () => storing.promise })
	const url = await urlFor('pushed')
	const posting = [1, 2, 3].map(() => post(url, says('Hello'), [['idempotency-key', 'k']]))
	const other = post(url, says('Other'), [['idempotency-key', 'k']])
	storing.resolve()
	const answers = await Promise.all(posting)
	expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
	expect((await other).status).toBe(422)
	expect(accepted).toHaveLength(1)
})

test('a reply that was not stored may come again under its key', async () => {
	let full = true
	const { post, urlFor, accepted } = await gateway({
		async accept() {
			if (full) throw new GatewayError('outbox-full')
		},
	})
	const url = await urlFor('pushed')
	const send = () => post(url, says('Hello'), [['idempotency-key', 'k']])
	expect((await send()).status).toBe(503)
	full = false
	expect((await send()).status).toBe(202)
	expect(accepted).toHaveLength(1)
})

test('whatever is wrong with a URL, the answer is the same and the body is not looked at', async () => {
	let now = Date.now()
	const clock = () => now
	const { send, post, urlFor, accepted, lines } = await gateway({ clock })
	const url = await urlFor('pushed')
	const renamed = await gateway({ names: ['mute'], clock })
	const other = await gateway({ env: { KEY: keys.OLD }, clock })
	const wrong: readonly [string, () => Promise<WireResponse>][] = [
		['made up', () => post('/-/reply/abc', says('Hello'))],
		['nothing', () => post('/-/reply/', says('Hello'))],
		['changed', () => post(url.slice(0, -1) + (url.endsWith('A') ? 'Q' : 'A'), says('Hello'))],
		['longer', () => post(`${url}/x`, says('Hello'))],
		['in another spelling', () => post(url.replace('.', '%2E'), says('Hello'))],
		['endless', () => post(`/-/reply/${'A'.repeat(8000)}`, says('Hello'))],
		['of a route that is gone', () => renamed.post(url, says('Hello'))],
		['of another key', () => other.post(url, says('Hello'))],
		['with a broken body', () => post('/-/reply/abc', '{')],
		['with a large body', () => post('/-/reply/abc', 'x'.repeat(2_000_000))],
		...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE'].map((method): [string, () => Promise<WireResponse>] => [
			method,
			() => send({ path: url, method, body: method === 'GET' ? '' : JSON.stringify(says('Hello')) }),
		]),
		[
			'expired',
			() => {
				now += hour
				return post(url, says('Hello'))
			},
		],
	]
	const answers = new Map<string, string>()
	for (const [what, call] of wrong) answers.set(what, JSON.stringify(await call()))
	expect(new Set(answers.values()), JSON.stringify([...answers])).toHaveLength(1)
	const [answer = ''] = answers.values()
	expect(JSON.parse(answer)).toMatchObject({ status: 404 })
	expect(answer).toContain('reply-url-invalid')
	expect([...accepted, ...renamed.accepted, ...other.accepted]).toEqual([])
	expect(lines.filter(({ error }) => error === 'reply-url-invalid')).toMatchObject([{ msg: 'refused', level: 'warn' }])
})

test('a URL that the old key sealed still works after rotation', async () => {
	const before = await gateway({ env: { KEY: keys.OLD } })
	const url = await before.urlFor('pushed')
	const backend = await upstream()
	const config = {
		upstream: { url: backend.url },
		publicUrl: 'https://bots.example',
		replyUrl: { keys: [{ env: 'KEY' }, { env: 'OLD' }] },
		routes: [{ name: 'pushed', path: '/pushed', platform: 'pushed', open: true }],
	}
	const outbox = { accept: async () => {} }
	const { send } = await start(config, { as: 'inside', adapters, env: keys, replace: () => ({ outbox }) })
	expect((await send({ path: url, body: JSON.stringify(says('Hello')) })).status).toBe(202)
})

test('neither the URL nor the token in it is in the log or in an error', async () => {
	const { post, urlFor, lines } = await gateway()
	const url = await urlFor('pushed')
	const answers = [
		await post(url, says('Hello')),
		await post(url, '{'),
		await post(`${url}x`, '{'),
		await post(url, []),
	]
	const [header = '', , iv = ''] = url.split('/').at(-1)?.split('.') ?? []
	const written = JSON.stringify([lines, answers])
	for (const secret of [token, url, iv, header]) expect(written).not.toContain(secret)
})

test('a reply reaches the API of the platform, in order, also when the API fails at first', async () => {
	let failures = 0
	const api = await upstream(() => (failures++ === 0 ? statusOnly(503) : statusOnly(200)))
	const backend = await upstream()
	const config = {
		...{ upstream: { url: backend.url }, publicUrl: 'https://bots.example', replyUrl: { keys: [{ env: 'KEY' }] } },
		outbox: { file: join(folder(testScope), 'outbox.db'), schedule: ['0s', '10ms'] },
		routes: [{ name: 'in', path: '/in', platform: 'pushed' }],
	}
	const options = {
		as: 'server',
		adapters: [canonical, ownJson('pushed', { push: pushTo(api.url) })],
		env: keys,
	} as const
	const { send } = await start(config, options)
	await send({ path: '/in', body: message('Hi', { conversation: 'c1' }) })
	const { pathname: path } = new URL(JSON.parse(backend.calls.at(-1)?.body ?? '').turn.replyUrl)
	for (const body of [{ messages: [text('One'), text('Two')] }, says('Three')]) {
		expect((await send({ path, body: JSON.stringify(body) })).status).toBe(202)
	}
	const said = () => api.calls.slice(1).map(({ body }) => JSON.parse(body).text)
	await expect.poll(said).toEqual(['One', 'Two', 'Three'])
	expect(header(api.calls[0] ?? { headers: [] }, 'authorization')).toContain(token)
})

test('the settings and the call of the documentation work', async () => {
	const { block } = pageAt('docs/canonical-model.md')
	const settings = JSON.parse(block('reply url settings'))
	const { backend, send, accepted } = await gateway({ settings, env: { REPLY_KEY: keys.KEY } })
	await send({ path: '/pushed', body: message('Hi', { conversation: 'c1' }) })
	const { replyUrl } = JSON.parse(backend.calls.at(-1)?.body ?? '').turn
	expect(replyUrl.startsWith(`${settings.publicUrl}/-/reply/`)).toBe(true)

	const command = block('reply url')
	expect(command.startsWith('curl "$REPLY_URL" ')).toBe(true)
	const headers = [...command.matchAll(/-H '([^:]*): ([^']*)'/g)].map(
		([, name = '', value = '']) => [name, value] as const,
	)
	const [, body = ''] = /-d '(.*)'$/s.exec(command) ?? []
	for (let i = 0; i < 2; i++) {
		const answer = await send({ path: new URL(replyUrl).pathname, headers, body })
		expect(answer.status).toBe(202)
	}
	expect(accepted.map(({ call }) => JSON.parse(call.body).text)).toEqual(['Your order is on its way.'])
})
