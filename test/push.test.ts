/** Replies that reach their users through the API of the platform: in order, once, and with a reason when it refuses. */
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { readConfig } from '../src/config/index.ts'
import { attempt, type Clock, defaultSchedule } from '../src/delivery/index.ts'
import { GatewayError, type WireResponse } from '../src/format/index.ts'
import { createOutbox } from '../src/node/outbox/delivery-loop.ts'
import { runOutbox } from '../src/node/outbox/outbox-command.ts'
import type { Delivery, EventDelivery, Runtime } from '../src/runtime.ts'
import { acceptPush } from '../src/turn/index.ts'
import { pushing } from './harness/pushing.ts'
import { bytesOf, type Received } from './harness/upstream.ts'
import { near, settingsOf, storeOf } from './outbox/parts.ts'
import { gateway, header, json, says, start, statusOnly, upstream } from './servers.ts'

const token = 'talk-token-1234'
const messages = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))
const told = (text: string, conversation = 'c 1') => ({ kind: 'message', text, conversation })

/** What the API was asked for, in order. */
const asked = (calls: readonly Received[]) =>
	calls.map(({ head, body }) => `${head[0]?.split(' HTTP')[0]} ${body}`.trim())

/** An API that takes everything, unless its script says otherwise. */
const apiWith = (script: (call: Received, n: number) => WireResponse | undefined = () => undefined) => {
	let n = 0
	return upstream((call) => {
		const own = script(call, n++)
		if (own) return own
		return call.path === '/departments' ? json([{ id: 'd1', name: 'Sales' }]) : json({ success: true })
	})
}

const adapters = [canonical, pushing]
const clock: Clock = {
	now: Date.now,
	after(milliseconds, run) {
		const timer = setTimeout(run, milliseconds)
		return () => clearTimeout(timer)
	},
}

/** A gateway with a route and an outbox in this thread, and a platform that calls it. */
async function pushed(
	api: string,
	backend: string,
	{ route = {}, outbox = {}, options = {} }: { route?: object; outbox?: object; options?: object } = {},
) {
	const settings = settingsOf({ schedule: ['0s', '50ms', '50ms', '50ms'], key: { env: 'ONE' }, ...outbox })
	const config = {
		...{ outbox: { file: settings.file }, upstream: { url: backend } },
		routes: [{ name: 'in', path: '/in', platform: 'pushing', options: { api, ...options }, ...route }],
	}
	const { routes } = readConfig(config, { adapters, env: {}, loopback: true })
	const started = await start(config, {
		...{ as: 'inside', adapters },
		replace(runtime) {
			const store = near(storeOf(settings, clock.now()))
			const opened = createOutbox({ store, settings, routes: () => routes, runtime, clock })
			onTestFinished(() => opened.close(0))
			return { outbox: opened }
		},
	})
	const tell = (event: object) =>
		started.send({ path: `/in?token=${token}`, body: JSON.stringify({ version: 1, event }) })
	const deliveries = () => started.lines.filter(({ msg }) => msg === 'delivery')
	return { ...started, routes, tell, deliveries, settings }
}

test('a platform that reads no answer gets the reply through its API, in order, with what ends the talk last', async () => {
	const api = await apiWith()
	const control = { close: true, handover: { to: 'department', name: 'Sales' } }
	const backend = await upstream(() => json({ messages: messages('one', 'two'), control }))
	const { tell, deliveries } = await pushed(api.url, backend.url)
	expect(await tell(told('Hi'))).toMatchObject({ status: 200, body: '' })
	await expect.poll(() => asked(api.calls).length).toBe(5)
	expect(asked(api.calls)).toEqual([
		'POST /talks/c%201/messages {"text":"one"}',
		'POST /talks/c%201/messages {"text":"two"}',
		'GET /departments',
		'PUT /talks/c%201/department {"id":"d1"}',
		'PUT /talks/c%201/close',
	])
	expect(new Set(api.calls.map((call) => header(call, 'authorization')))).toEqual(new Set([`Bearer ${token}`]))
	const [call] = backend.calls
	const { turn } = JSON.parse(call?.body ?? '')
	expect(turn).toMatchObject({ answer: 'push', carries: expect.arrayContaining(['reply.text', 'reply.control.close']) })
	expect(turn).not.toHaveProperty('answerBy')
	expect(call?.body).not.toContain(token)
	await expect.poll(() => deliveries().length).toBe(5)
	expect(deliveries()).toMatchObject([
		{ turn: turn.id, level: 'info', pushes: 4 },
		{ turn: `${turn.id}-1`, level: 'info' },
		{ turn: `${turn.id}-2` },
		{ turn: `${turn.id}-3` },
		{ turn: `${turn.id}-4` },
	])
})

test('without the address of an API, and without an outbox, the event is delivered and its reply is not read', async () => {
	const backend = await upstream(() => ({ ...json(says('lost')), body: 'no JSON' }))
	const config = (options: object) => ({
		upstream: { url: backend.url },
		routes: [{ name: 'in', path: '/in', platform: 'pushing', options }],
	})
	for (const options of [{}, { api: 'http://127.0.0.1:9' }]) {
		const { send, lines } = await gateway(config(options), [canonical, pushing])
		const body = JSON.stringify({ version: 1, event: told('Hi') })
		expect((await send({ path: `/in?token=${token}`, body })).status).toBe(200)
		const warnings = lines.filter(({ msg }) => msg === 'config').map(({ warning }) => String(warning))
		expect(warnings.some((each) => each.includes('to push replies requires "outbox"'))).toBe('api' in options)
	}
	expect(backend.calls.map(({ body }) => JSON.parse(body).turn.answer)).toEqual(['never', 'never'])
})

test('when the API fails in the midst of a reply, what it accepted is not sent again, and the rest comes in order', async () => {
	const failures = [undefined, json({ error: 'busy' }, 500), statusOnly(429, [['retry-after', '0']])]
	const api = await apiWith((_, n) => failures[n])
	const backend = await upstream(({ body }) =>
		json({ messages: messages(`${JSON.parse(body).event.text}1`, 'b', 'c') }),
	)
	const { tell, deliveries } = await pushed(api.url, backend.url, { outbox: { order: 'overtake' } })
	await tell(told('x'))
	await expect.poll(() => api.calls.length).toBe(5)
	expect(api.calls.map(({ body }) => JSON.parse(body).text)).toEqual(['x1', 'b', 'b', 'b', 'c'])
	await expect.poll(() => deliveries().length).toBe(6)
	expect(deliveries().filter(({ level }) => level === 'warn')).toMatchObject([
		{ attempt: 1, error: 'push-failed', apiStatus: 500 },
		{ attempt: 2, error: 'push-failed', apiStatus: 429 },
	])
})

test('replies come in the order of their events, whatever stands between', async () => {
	const api = await apiWith((_, n) => (n === 0 ? statusOnly(503) : undefined))
	const backend = await upstream(({ body }) => json({ messages: messages(`${JSON.parse(body).event.text}1`, 'more') }))
	const { tell } = await pushed(api.url, backend.url)
	await Promise.all(['a', 'b', 'c'].map((text) => tell(told(text))))
	await expect.poll(() => api.calls.length).toBe(7)
	const texts = api.calls.map(({ body }) => JSON.parse(body).text)
	const firsts = backend.calls.map(({ body }) => `${JSON.parse(body).event.text}1`)
	expect(texts).toEqual([firsts[0], ...firsts.flatMap((first) => [first, 'more'])])
})

test('what the API refuses is a dead letter with its reason and without its token, and can be put back', async () => {
	let refuses = true
	const api = await apiWith(({ body }) =>
		refuses && body.includes('gone') ? json({ msg: 'Request not found' }, 404) : undefined,
	)
	const backend = await upstream(() => json({ messages: messages('gone', 'next') }))
	const { tell, settings, lines } = await pushed(api.url, backend.url)
	await tell(told('Hi'))
	await expect.poll(() => api.calls.length).toBe(2)
	const operator = async (...args: string[]) => {
		const said: string[] = []
		await runOutbox(args, settings, (line) => said.push(line))
		return said.join('\n')
	}
	await expect.poll(() => operator('list')).toContain('1 dead')
	expect(await operator('list')).toMatch(
		/-1 {2}in {2}dead {2}1 attempt {2}.+ push-refused \(404 \{"msg":"Request not found"\}\)/,
	)
	const [id = ''] = (await operator('list')).split(' ')
	expect(await operator('show', id)).toContain('/talks/c%201/messages')
	expect((await operator('show', id)) + (await operator('list')) + JSON.stringify(lines)).not.toContain(token)
	refuses = false
	await operator('redrive', id)
	await expect.poll(() => api.calls.length, { timeout: 5000 }).toBe(3)
	// What was delivered goes once its outcome is stored.
	await expect.poll(() => operator('show', id)).toBe('No such event.')
	expect(await operator('erase', '--conversation', 'c 1')).toBe('No such event.')
})

test.each<[answer: WireResponse, outcome: object, words: string]>([
	[
		json([{ id: 'd2', name: 'Support' }]),
		{ error: 'push-refused', dead: true },
		'push-refused (no entry in the answer to the lookup has the name that the reply gives)',
	],
	[
		{ ...json([]), body: '<html>Maintenance</html>' },
		{ error: 'push-failed', level: 'warn' },
		'push-failed (the answer to the lookup is not one that the API documents)',
	],
])('a lookup that is answered with 200 and cannot be used has a reason in words: %j', async (found, outcome, words) => {
	const api = await apiWith(({ path }) => (path === '/departments' ? found : undefined))
	const control = { handover: { to: 'department', name: 'Sales' } }
	const backend = await upstream(() => json({ messages: [], control }))
	const { tell, deliveries, settings } = await pushed(api.url, backend.url, { outbox: { schedule: ['0s', '1h'] } })
	await tell(told('Hi'))
	await expect.poll(() => deliveries().length).toBe(2)
	expect(deliveries()[1]).toMatchObject({ ...outcome, apiStatus: 200 })
	const listed = async () => {
		const said: string[] = []
		await runOutbox(['list'], settings, (line) => said.push(line))
		return said.join()
	}
	await expect.poll(listed).toContain(words)
	expect(await listed()).not.toContain('(200')
})

test('a reason that repeats the token is left out', async () => {
	const api = await apiWith(() => json({ msg: `no such token: ${token}` }, 401))
	const backend = await upstream()
	const { tell, settings } = await pushed(api.url, backend.url)
	await tell(told('Hi'))
	const said: string[] = []
	await expect
		.poll(async () => (await runOutbox(['list'], settings, (line) => said.push(line))) === 0 && said.join())
		.toContain('1 dead')
	expect(said.join()).toContain('push-refused (401)')
	expect(said.join()).not.toContain(token)
})

test.each([
	['is cut', [['content-length', '100']], 'gone'],
	['is compressed', [['content-encoding', 'gzip']], 'gone'],
	['is too large', [], 'x'.repeat(20_000)],
] as const)('a refusal that %s is one without a reason', async (_, headers, body) => {
	const api = await upstream(async (_, { write, socket }) => {
		await write(bytesOf({ status: 404, headers, body }))
		socket.destroy()
	})
	const backend = await upstream()
	const { tell, deliveries } = await pushed(api.url, backend.url)
	await tell(told('Hi'))
	await expect.poll(() => deliveries().length).toBe(2)
	expect(deliveries()[1]).toMatchObject({ dead: true, error: 'push-refused', apiStatus: 404 })
	expect(api.calls).toHaveLength(1)
})

test('a reply that cannot be read is a dead letter at once, and the user gets the words for a failure', async () => {
	const api = await apiWith()
	const backend = await upstream(() => ({ ...json({}), body: '<html>' }))
	const { tell, deliveries } = await pushed(api.url, backend.url, { route: { failure: says('Sorry') } })
	await tell(told('Hi'))
	await expect.poll(() => asked(api.calls)).toEqual(['POST /talks/c%201/messages {"text":"Sorry"}'])
	expect(backend.calls).toHaveLength(1)
	expect(deliveries()[0]).toMatchObject({ level: 'error', dead: true, error: 'upstream-reply-invalid' })
})

test('choices that were pushed are remembered', async () => {
	const api = await apiWith()
	const choices = [{ title: 'Yes', value: 'yes please' }]
	const backend = await upstream(() => json({ messages: [{ type: 'choices', choices }] }))
	const { tell } = await pushed(api.url, backend.url)
	await tell(told('Hi'))
	await expect.poll(() => api.calls.length).toBe(1)
	await tell(told('Yes'))
	await expect.poll(() => backend.calls.length).toBe(2)
	expect(JSON.parse(backend.calls[1]?.body ?? '').event.choice).toEqual({ value: 'yes please', label: 'Yes' })
})

test('a late answer is pushed, and only that; the holding reply is in the answer', async () => {
	const api = await apiWith()
	const late = Promise.withResolvers<void>()
	const backend = await upstream(async ({ body }) => {
		const { text } = JSON.parse(body).event
		if (text === 'slow') await late.promise
		return json({ messages: messages(text, 'done') })
	})
	const route = {
		late: { after: 300, reply: says('One moment'), answer: 'push' },
		upstream: { url: backend.url, timeout: 30_000 },
	}
	const { tell, deliveries, lines } = await pushed(api.url, backend.url, { route, options: { twoWay: true } })
	expect(JSON.parse((await tell(told('slow'))).body)).toMatchObject(says('One moment'))
	expect(JSON.parse((await tell(told('quick'))).body)).toMatchObject({ messages: messages('quick', 'done') })
	expect(JSON.parse(backend.calls[0]?.body ?? '').turn.answer).toBe('now')
	expect(api.calls).toEqual([])
	late.resolve()
	await expect.poll(() => api.calls.map(({ body }) => JSON.parse(body).text)).toEqual(['slow', 'done'])
	expect(JSON.parse((await tell(told('again'))).body)).toMatchObject({ messages: messages('again', 'done') })
	await expect.poll(() => deliveries().length).toBe(3)
	expect(lines.filter(({ held }) => held)).toHaveLength(1)
	expect(backend.calls).toHaveLength(3)
})

test('a late answer that cannot be stored is not promised', async () => {
	const backend = await upstream((_, { gone }) => gone.then(() => undefined))
	const late = { after: 50, reply: says('One moment'), answer: 'push' }
	const options = { api: 'http://127.0.0.1:9', twoWay: true }
	const { send } = await start(
		{
			...{ outbox: { file: '/nothing' }, upstream: { url: backend.url } },
			routes: [{ name: 'in', path: '/in', platform: 'pushing', options, late }],
		},
		{
			...{ as: 'inside', adapters: [canonical, pushing] },
			replace: () => ({ outbox: { accept: () => Promise.reject(new GatewayError('outbox-full')) } }),
		},
	)
	const body = JSON.stringify({ version: 1, event: told('slow') })
	const answer = await send({ path: `/in?token=${token}`, body })
	expect(answer.status).toBe(503)
	expect(answer.body).not.toContain('One moment')
})

test('late answers are pushed in the order of their turns', async () => {
	const api = await apiWith()
	const answers = new Map<string, () => void>()
	const backend = await upstream(async ({ body }) => {
		const { text } = JSON.parse(body).event
		await new Promise<void>((answer) => answers.set(text, answer))
		return json(says(text))
	})
	const route = {
		late: { after: 200, reply: says('One moment'), answer: 'push' },
		upstream: { url: backend.url, timeout: 30_000 },
	}
	const { tell, deliveries } = await pushed(api.url, backend.url, { route, options: { twoWay: true } })
	await tell(told('first'))
	await tell(told('second'))
	answers.get('second')?.()
	await expect.poll(() => deliveries().length).toBe(1)
	answers.get('first')?.()
	await expect.poll(() => api.calls.map(({ body }) => JSON.parse(body).text)).toEqual(['first', 'second'])
})

test.each([
	[{ late: { after: 1000, reply: says('x'), answer: 'push' } }, {}, true, 'its options do not name the address'],
	[{ late: { after: 1000, reply: says('x'), answer: 'push' } }, { api: 'http://api.test' }, false, 'requires "outbox"'],
])('a route that pushes late answers needs an API and an outbox', (more, options, hasOutbox, mistake) => {
	const routes = [{ name: 'in', path: '/in', platform: 'pushing', options, ...more }]
	const outbox = hasOutbox ? { outbox: { file: '/nothing' } } : {}
	const context = { adapters: [canonical, pushing], env: {}, loopback: true }
	const read = () => readConfig({ ...outbox, upstream: { url: 'http://127.0.0.1:9/' }, routes }, context)
	expect(read).toThrow(expect.objectContaining({ mistakes: [expect.stringContaining(mistake)] }))
})

/** What becomes of an event whose process ended while it waited for the late answer. */
async function afterInterruption(idempotent: boolean) {
	const calls: string[] = []
	const { routes } = readConfig(
		{
			...{ outbox: { file: '/nothing' }, upstream: { url: 'http://127.0.0.1:9/' } },
			routes: [
				{
					name: 'in',
					path: '/in',
					platform: 'pushing',
					options: { api: 'https://api.test' },
					failure: says('Sorry'),
					idempotent,
				},
			],
		},
		{ adapters: [canonical, pushing], env: {}, loopback: true },
	)
	const { runtime } = await gateway({
		upstream: { url: 'http://127.0.0.1:9/' },
		routes: [{ name: 'x', path: '/x', platform: 'canonical' }],
	})
	const send: Runtime['send'] = async ({ headers }) => {
		calls.push(header({ headers }, 'webhook-id') ?? 'unsigned')
		return json(says('late'))
	}
	const clock = { now: () => 0, after: () => () => {} }
	const context = {
		routes: () => routes,
		schedule: defaultSchedule,
		runtime: { ...runtime, send },
		clock,
		random: () => 0,
	}
	const event = { kind: 'message', text: 'Hi', attributes: {}, conversation: 'c' } as const
	const delivery: EventDelivery = {
		...{ id: 'turn_1', route: 'in', platform: 'pushing', receivedAt: '2026-01-01T00:00:00.000Z', conversation: 'in c' },
		request: canonical.create().event.encode(event),
		answer: { address: { talk: 'c', token }, event, held: true },
	}
	const outcome = await attempt({ delivery, failed: 0, acceptedAt: 0, interrupted: true }, context)
	const texts = (pushes: readonly Delivery[] = []) =>
		pushes.map((push) => 'call' in push && JSON.parse(push.call.body).text)
	return { ...outcome, calls: calls.length, texts: 'pushes' in outcome ? texts(outcome.pushes) : [] }
}

test('an interrupted late answer is asked for again where the upstream is idempotent', async () => {
	expect(await afterInterruption(true)).toMatchObject({ result: 'delivered', calls: 1, texts: ['late'] })
})

test('elsewhere it is a dead letter, and the user gets the words for a failure', async () => {
	expect(await afterInterruption(false)).toMatchObject({
		result: 'dead',
		error: 'late-answer-lost',
		calls: 0,
		texts: ['Sorry'],
	})
})

test('a reply that no turn began is pushed, with what it lost', async () => {
	const api = await apiWith()
	const { runtime, routes } = await pushed(api.url, 'http://127.0.0.1:9/')
	const [route] = routes
	if (!route) throw new Error('there is a route')
	const to = {
		...{ route, platform: route.platforms[0], address: { talk: 'c', token }, conversation: 'in c', id: 'push_1' },
		receivedAt: '2026-01-01T00:00:00.000Z',
	}
	const attributes = { session: { a: 1 }, user: {} }
	const changes = await acceptPush(to, { messages: [{ type: 'text', text: 'News' }], attributes }, runtime)
	expect(changes).toMatchObject([{ did: 'dropped', path: 'attributes.session.a' }])
	await expect.poll(() => asked(api.calls)).toEqual(['POST /talks/c/messages {"text":"News"}'])
})
