/** What an observer sees of turns, deliveries and refused calls, and that it can neither see a secret nor break a turn. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import type { AdapterFactory } from '../src/format/index.ts'
import type { Observer } from '../src/index.ts'
import { combineObservers } from '../src/observer/index.ts'
import { pushing } from './harness/pushing.ts'
import { folder } from './outbox/parts.ts'
import { header, json, oneWay, ownJson, says, start, statusOnly, upstream } from './servers.ts'

const secret = 'canary-of-a-route-secret'
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** An observer that writes down all that it sees. */
function recorder() {
	const seen: { readonly [what: string]: unknown }[] = []
	const turnObserver = () => ({
		step: ({ name, at, show }: { name: string; at: number; show(): unknown }) =>
			seen.push({ step: name, at, value: show() }),
		call: (call: object) => {
			seen.push({ call })
			return { end: (outcome: object) => seen.push({ called: outcome }) }
		},
		end: (outcome: object) => seen.push({ end: outcome }),
		late: (outcome: object) => seen.push({ late: outcome }),
	})
	const observer: Observer = {
		turn(turn) {
			seen.push({ turn })
			return turnObserver()
		},
		postedReply(reply) {
			seen.push({ reply })
			return turnObserver()
		},
		delivery(delivery) {
			seen.push({ delivery })
			return turnObserver()
		},
		refusal: (refusal) => seen.push({ refusal }),
	}
	const all = (what: string) => seen.filter((each) => what in each).map((each) => each[what])
	return { observer, seen, all, steps: () => all('step') }
}

async function watched(observer: Observer, config: object, adapters: readonly AdapterFactory[] = [canonical, oneWay]) {
	const env = { SECRET: secret, SEAL: Buffer.alloc(32, 1).toString('base64') }
	return start(config, { as: 'server', adapters, observer, env })
}

const say = (text: string, more: object = {}) =>
	JSON.stringify({ version: 1, event: { kind: 'message', text, ...more } })
const jsonType = ['content-type', 'application/json'] as const
const route = { name: 'in', path: '/in', platform: 'canonical' }

/** Shows no buttons. */
const plain = canonical.create({}).reply({ kind: 'message', attributes: {} })
if (!plain) throw new Error('The canonical format has replies')
const { reply, 'reply.text': text } = plain.carries
const texts = ownJson('texts', {
	reply: () => ({ ...plain, carries: { reply, 'reply.messages': { items: 2 }, 'reply.text': text } }),
})

test('a turn is seen step by step, then as a whole', async () => {
	const { url } = await upstream(() =>
		json({ messages: [{ type: 'choices', text: 'Tea?', choices: [{ title: 'Yes', value: 'y' }] }] }),
	)
	const { observer, seen, steps, all } = recorder()
	const { send } = await watched(observer, { upstream: { url }, routes: [{ ...route, platform: 'texts' }] }, [
		canonical,
		texts,
	])
	await send({ path: '/in', body: say('Hi', { conversation: 'c' }) })
	await send({ path: '/in', body: say('1', { conversation: 'c' }) })
	const once = ['call', 'event', 'fitted-event', 'request', 'response', 'reply', 'fitted-reply', 'answer']
	expect(steps()).toEqual([...once, ...once.flatMap((name) => (name === 'event' ? [name, 'recalled-event'] : [name]))])
	expect(all('turn')).toMatchObject([
		{
			id: expect.stringMatching(/^turn_/),
			route: 'in',
			upstream: 'canonical',
			method: 'POST',
			limit: expect.any(Number),
		},
		{},
	])
	const shown = (step: string) => seen.find((each) => each.step === step)?.value
	expect(shown('call')).toEqual({ method: 'POST', query: [], body: JSON.parse(say('Hi', { conversation: 'c' })) })
	expect(shown('event')).toMatchObject({ kind: 'message', text: 'Hi' })
	expect(shown('recalled-event')).toMatchObject({ kind: 'choice', choice: { value: 'y' } })
	expect(shown('request')).toMatchObject({ method: 'POST', body: { event: { text: 'Hi' }, turn: { route: 'in' } } })
	expect(shown('response')).toMatchObject({ status: 200, body: { messages: [{ type: 'choices' }] } })
	expect(shown('reply')).toMatchObject({ messages: [{ type: 'choices' }] })
	expect(shown('fitted-reply')).toMatchObject({ messages: [{ type: 'text', text: 'Tea?\n1. Yes' }] })
	expect(shown('answer')).toMatchObject({ status: 200, body: { messages: [{ type: 'text' }] } })
	expect(all('call')[0]).toEqual({ method: 'POST', origin: url })
	expect(all('called')[0]).toEqual({ status: 200, error: undefined })
	expect(all('end')[0]).toMatchObject({
		...{
			platform: 'texts',
			kind: 'message',
			status: 200,
			error: undefined,
			duplicate: false,
			held: false,
			recalled: 0,
		},
		...{
			changes: [{ did: 'converted', feature: 'reply.choices', path: 'messages[0].choices[0]' }],
			moreChanges: 0,
			notes: [],
		},
	})
	const times = seen
		.slice(
			0,
			seen.findIndex((each) => 'end' in each),
		)
		.flatMap(({ at }) => (typeof at === 'number' ? [at] : []))
	expect(times).toEqual(times.toSorted((a, b) => a - b))
	expect(times.length).toBe(once.length)
})

test('a failed turn ends with its error; a duplicate has no reply of its own', async () => {
	const { url } = await upstream(() => statusOnly(500))
	const { observer, steps, all } = recorder()
	const { send } = await watched(observer, { upstream: { url }, routes: [route] })
	await send({ path: '/in', body: say('Hi') })
	expect(all('called')).toEqual([{ status: 500, error: 'upstream-status' }])
	expect(all('end')).toMatchObject([{ status: 502, error: 'upstream-status' }])
	expect(steps()).toEqual(['call', 'event', 'fitted-event', 'request', 'answer'])
	const working = recorder()
	const another = await watched(working.observer, { upstream: { url: (await upstream()).url }, routes: [route] })
	for (const _ of 'ab') await another.send({ path: '/in', body: say('Hi', { id: 'e1' }) })
	expect(working.all('end')).toMatchObject([
		{ duplicate: false, kind: 'message' },
		{ duplicate: true, kind: 'message' },
	])
	expect(working.steps().slice(-3)).toEqual(['call', 'event', 'answer'])
})

test('the end of a failed turn names its format, where it was recognised', async () => {
	const { url } = await upstream()
	const { observer, all } = recorder()
	const other = ownJson('other', { recognises: () => true })
	const first = ownJson('first', { recognises: () => false })
	const routes = [{ ...route, platform: ['first', 'other'] }]
	const { send } = await watched(observer, { upstream: { url }, routes }, [canonical, first, other])
	await send({ path: '/in', body: '{' })
	expect(all('end')).toMatchObject([{ platform: 'other', kind: undefined, error: 'body-not-json' }])
})

test('the end of a failed turn tells a recalled choice from a message', async () => {
	const choices = { messages: [{ type: 'choices', text: 'Tea?', choices: [{ title: 'Yes', value: 'y' }] }] }
	const { url, calls } = await upstream(() => (calls.length === 1 ? json(choices) : statusOnly(500)))
	const { observer, all } = recorder()
	const routes = [{ ...route, platform: 'texts' }]
	const { send } = await watched(observer, { upstream: { url }, routes }, [canonical, texts])
	for (const words of ['Hi', 'Yes']) await send({ path: '/in', body: say(words, { conversation: 'c1' }) })
	expect(all('end')).toMatchObject([{ kind: 'message' }, { kind: 'choice', error: 'upstream-status' }])
})

test('an observer sees no secret of the configuration, and no URL for replies', async () => {
	const { url, calls } = await upstream(() =>
		json({ ...says(`it is ${secret}`), attributes: { session: { token: 'one of the user' } } }),
	)
	const { observer, seen, all } = recorder()
	const config = {
		publicUrl: 'https://bots.example',
		replyUrl: { keys: [{ env: 'SEAL' }] },
		upstream: { url, secrets: [{ env: 'SECRET' }] },
		routes: [{ ...route, secrets: [{ env: 'SECRET' }] }],
	}
	const { send } = await watched(observer, config)
	const attributes = { [`x ${secret}`]: secret, flavour: 'vanilla' }
	await send({ path: `/in/${secret}`, body: say(`my ${secret}`, { conversation: 'c', attributes }) })
	await send({ path: '/in/wrong', body: say('Hi') })
	const trace = [
		['traceparent', traceparent],
		['tracestate', `a=${secret}`],
	] as const
	await send({ path: `/in/${secret}`, body: say('Hi'), headers: [jsonType, ...trace] })
	expect(calls[0]?.body).toContain('/-/reply/')
	const shown = JSON.stringify(seen)
	expect(shown).toContain('vanilla')
	for (const hidden of ['canary', '/-/reply/', 'one of the user', 'wrong']) expect(shown).not.toContain(hidden)
	expect(all('refusal')).toEqual([{ error: 'not-found', route: 'in' }])
	expect(all('turn')).toMatchObject([{ trace: undefined }, { trace: { traceparent } }])

	const { pathname } = new URL(JSON.parse(calls[0]?.body ?? '').turn.replyUrl)
	seen.length = 0
	await send({ path: pathname, body: JSON.stringify(says(`again ${secret}`)) })
	expect(all('reply')).toMatchObject([{ route: 'in', platform: 'canonical' }])
	expect(all('step')).toEqual(['call', 'answer'])
	expect(all('end')).toMatchObject([{ status: 422, error: 'push-not-supported' }])
	expect(JSON.stringify(seen)).not.toContain('canary')
})

test('an observer of a delivery sees the response and the calls that push its reply, without secrets', async () => {
	const { observer, steps, seen } = recorder()
	const api = await upstream(() => json({}))
	const { url } = await upstream(() => json(says(`Here is ${secret}`)))
	const config = {
		outbox: { file: join(folder(), 'outbox.db') },
		upstream: { url },
		routes: [{ ...route, platform: 'pushing', options: { api: api.url }, secrets: [{ env: 'SECRET' }] }],
	}
	const { send } = await watched(observer, config, [canonical, pushing])
	await send({ path: `/in/${secret}?token=canary-of-a-token`, body: say('Hi', { conversation: 'c' }) })
	await expect.poll(() => steps()).toContain('pushes')
	expect(steps().slice(-2)).toEqual(['response', 'pushes'])
	expect(seen.find(({ step }) => step === 'pushes')?.value).toEqual([
		{ method: 'POST', path: '/talks/c/messages', body: { text: '[redacted]' } },
	])
	expect(JSON.stringify(seen)).not.toContain('canary')
})

test('an observer sees the trace of a valid call, and gives the upstream one', async () => {
	const { url, calls } = await upstream()
	const traces: unknown[] = []
	const own = { traceparent: traceparent.replace('b7', 'c8'), tracestate: 'a=1' }
	const observer: Observer = {
		turn: ({ trace }) => {
			traces.push(trace)
			return { call: () => ({ trace: own }) }
		},
	}
	const { send } = await watched(observer, { upstream: { url }, routes: [route] })
	for (const headers of [
		[
			['traceparent', traceparent],
			['tracestate', 'b=2'],
			['tracestate', 'c=3'],
			['baggage', 'user=ann'],
		],
		[['traceparent', traceparent.replace('00-', 'ff-')]],
		[['traceparent', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]],
		[
			['traceparent', traceparent],
			['traceparent', traceparent],
		],
		[
			['traceparent', traceparent],
			['tracestate', 'long'.repeat(200)],
		],
	] as const)
		await send({ path: '/in', body: say('Hi'), headers: [jsonType, ...headers] })
	expect(traces).toEqual([{ traceparent, tracestate: 'b=2,c=3' }, undefined, undefined, undefined, { traceparent }])
	const [first] = calls
	expect(first && [header(first, 'traceparent'), header(first, 'tracestate'), header(first, 'baggage')]).toEqual([
		own.traceparent,
		own.tracestate,
		undefined,
	])
})

test('an observer that throws is logged once a turn, and breaks nothing', async () => {
	const { url } = await upstream()
	const fail = () => {
		throw new Error('the observer is broken')
	}
	for (const observer of [
		{ turn: fail, refusal: fail },
		{ turn: () => ({ step: fail, call: fail, end: fail }) },
		{ turn: () => ({ call: () => ({ end: fail }), end: fail }) },
	] satisfies Observer[]) {
		const { send, lines } = await watched(observer, { upstream: { url }, routes: [route] })
		expect((await send({ path: '/in', body: say('Hi') })).status).toBe(200)
		const failures = () => lines.filter(({ msg }) => msg === 'observer')
		expect(failures()).toMatchObject([{ level: 'error', cause: expect.stringContaining('the observer is broken') }])
		await send({ path: '/nowhere' })
		expect(failures()).toHaveLength('refusal' in observer ? 2 : 1)
	}
})

test('several observers see the same, and the first trace counts', async () => {
	const { url, calls } = await upstream()
	const [one, other] = [recorder(), recorder()]
	const traced = (parent: string): Observer => ({
		turn: () => ({ call: () => ({ trace: { traceparent: traceparent.replace('b7', parent) } }) }),
	})
	const blind: Observer = { turn: () => undefined }
	const all = combineObservers([one.observer, blind, traced('c8'), traced('d9'), other.observer])
	if (!all) throw new Error('There are observers')
	const { send } = await watched(all, { upstream: { url }, routes: [route] })
	await send({ path: '/in', body: say('Hi') })
	await send({ path: '/nowhere' })
	expect(one.seen.length).toBeGreaterThan(10)
	expect(JSON.stringify(other.seen)).toBe(JSON.stringify(one.seen))
	expect(calls[0] && header(calls[0], 'traceparent')).toContain('-c8')
	expect(combineObservers([])).toBeUndefined()
	expect(combineObservers([blind])).toBe(blind)
	expect(combineObservers([blind, blind])?.delivery).toBeUndefined()
})

test('each attempt to deliver is seen, with its call', async () => {
	const statuses = [503, 200]
	const { url } = await upstream(() => statusOnly(statuses.shift() ?? 500))
	const { observer, all } = recorder()
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s', '10ms'] }
	const { send } = await watched(observer, { outbox, upstream: { url }, routes: [{ ...route, platform: 'one-way' }] })
	await send({ path: '/in', body: say('Hi') })
	await expect.poll(() => all('end').length).toBe(3)
	expect(all('delivery')).toMatchObject([
		{ id: expect.stringMatching(/^turn_/), route: 'in', platform: 'one-way', to: 'upstream', attempt: 1 },
		{ attempt: 2 },
	])
	expect(all('call')).toHaveLength(2)
	expect(all('called')).toEqual([
		{ status: 503, error: 'upstream-status' },
		{ status: 200, error: undefined },
	])
	expect(all('end')).toMatchObject([
		{ platform: 'one-way', status: 200 },
		{ result: 'failed', error: 'upstream-status', ms: expect.any(Number) },
		{ result: 'delivered', error: undefined },
	])
})

test('a late reply is seen after the end of its turn', async () => {
	const { promise, resolve } = Promise.withResolvers<void>()
	const { url } = await upstream(async () => {
		await promise
		return json(says('late'))
	})
	const { observer, seen, all } = recorder()
	const late = { after: 20, reply: { '*': says('One moment') } }
	const { send } = await watched(observer, { upstream: { url, timeout: 60_000 }, routes: [{ ...route, late }] })
	await send({ path: '/in', body: say('Hi', { conversation: 'c' }) })
	expect(all('end')).toMatchObject([{ held: true }])
	resolve()
	await expect.poll(() => all('late')).toMatchObject([{ did: 'kept', error: undefined }])
	expect(seen.map((each) => Object.keys(each)[0]).slice(-3)).toEqual(['end', 'called', 'late'])
})
