/** Upstreams that are late on routes with a holding reply: what the user gets, and what becomes of the late answer. */
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { readConfig } from '../src/config/index.ts'
import { jsonResponse, type ReplyLeg } from '../src/format/index.ts'
import { limits } from '../src/limits.ts'
import { type CanonicalReply, emptyReply } from '../src/model/index.ts'
import { createState } from '../src/node/memory-state.ts'
import type { LogLine } from '../src/runtime.ts'
import { prependLateReplies } from '../src/turn/late-replies.ts'
import { call, gateway, json, ownJson, says, start, statusOnly, upstream } from './servers.ts'

const event = (text: string, more: object = {}) => ({ kind: 'message', text, conversation: 'c', ...more })

const plainReply = canonical.create({}).reply({ kind: 'message', attributes: {} })
if (!plainReply) throw new Error('The canonical format has replies')
const { reply, 'reply.text': text } = plainReply.carries

/** Shows two texts and nothing else. */
const twoTexts = ownJson('two-texts', {
	reply: () => ({ ...plainReply, carries: { reply, 'reply.messages': { items: 2 }, 'reply.text': text } }),
})

/** Meets a fault of its own in every answer. */
const faulty = ownJson('faulty', {
	reply: () => ({
		...plainReply,
		decode() {
			throw new TypeError('a fault of the adapter')
		},
	}),
})

/** An upstream that answers "slow ..." when it is told to and anything else at once; and a gateway that waits a little. */
async function slowly(
	late: object = {},
	reply: (text: string) => object = says,
	route: object = {},
	format = 'canonical',
) {
	const slow: (() => void)[] = []
	const to = await upstream(async ({ body }) => {
		const { text } = JSON.parse(body).event
		if (text.startsWith('slow')) await new Promise<void>((answer) => slow.push(answer))
		return json(reply(text))
	})
	const holding = { after: 1000, reply: { '*': says('One moment'), de: says('Einen Moment') }, ...late }
	const started = await gateway(
		{
			upstream: { url: to.url, timeout: 60_000, adapter: format },
			routes: [{ name: 'in', path: '/in', platform: 'canonical', debug: true, late: holding, ...route }],
		},
		[canonical, twoTexts, faulty],
	)
	const said = async (given: object) => {
		const answer = await call(`${started.url}/in`, given)
		const { messages = [], ...rest } = await answer.json()
		return {
			texts: messages.map(({ text }: { text: string }) => text),
			changes: answer.headers.get('dragoman-changes'),
			...rest,
		}
	}
	const lateLines = () => started.lines.filter(({ msg }) => msg === 'late')
	return { ...started, slow, calls: to.calls, said, lateLines }
}

test('the holding reply is in the user’s language, and the late answer comes once, before the next reply', async () => {
	const { slow, said, lateLines, lines } = await slowly()
	expect(await said(event('slow 1', { language: 'de-AT' }))).toMatchObject({ texts: ['Einen Moment'] })
	expect(await said(event('slow 2'))).toMatchObject({ texts: ['One moment'] })
	expect(lateLines()).toEqual([])
	for (const answer of slow) answer()
	await expect.poll(() => lateLines().length).toBe(2)
	expect(lateLines()).toMatchObject([
		{ level: 'info', did: 'kept', route: 'in' },
		{ level: 'info', did: 'kept' },
	])
	expect(await said(event('elsewhere', { conversation: 'd' }))).toMatchObject({ texts: ['elsewhere'] })
	const { texts } = await said(event('quick'))
	expect(texts.toSorted()).toEqual(['quick', 'slow 1', 'slow 2'])
	expect(texts.at(-1)).toBe('quick')
	expect(await said(event('again'))).toMatchObject({ texts: ['again'] })
	expect(lines.filter(({ held }) => held)).toHaveLength(2)
	expect(lines.filter(({ recalled }) => recalled)).toMatchObject([{ recalled: 2 }])
})

test('a holding reply brings earlier late answers', async () => {
	const { slow, said, lateLines } = await slowly()
	await said(event('slow 1'))
	slow[0]?.()
	await expect.poll(() => lateLines().length).toBe(1)
	expect(await said(event('slow 2'))).toMatchObject({ texts: ['slow 1', 'One moment'] })
	slow[1]?.()
})

test('attributes of both replies are written; of single values the later one is used and the other reported', async () => {
	const { slow, said, lateLines } = await slowly({}, (text) => ({
		...says(text),
		attributes: { session: { [text]: 'x', last: text }, user: {} },
		control: { goto: text, tags: [text] },
	}))
	await said(event('slow'))
	slow[0]?.()
	await expect.poll(() => lateLines().length).toBe(1)
	const { attributes, control, changes } = await said(event('quick'))
	expect(attributes.session).toEqual({ slow: 'x', quick: 'x', last: 'quick' })
	expect(control).toMatchObject({ goto: 'quick', tags: ['quick'] })
	expect(changes).toContain('control.goto')
})

test('a late answer is dropped if the route says so, and without a conversation', async () => {
	const drops = await slowly({ answer: 'drop' })
	await drops.said(event('slow'))
	drops.slow[0]?.()
	await expect.poll(drops.lateLines).toMatchObject([{ level: 'info', did: 'dropped' }])
	expect(await drops.said(event('quick'))).toMatchObject({ texts: ['quick'] })

	const keeps = await slowly()
	await keeps.said({ kind: 'message', text: 'slow' })
	keeps.slow[0]?.()
	await expect.poll(keeps.lateLines).toMatchObject([{ level: 'warn', did: 'dropped' }])
})

test('a repeated call gets the same holding reply, and the upstream is called once', async () => {
	const { slow, said, calls } = await slowly()
	const [first, second] = await Promise.all([said(event('slow', { id: 'm1' })), said(event('slow', { id: 'm1' }))])
	expect(first).toMatchObject({ texts: ['One moment'] })
	expect(second).toEqual(first)
	expect(await said(event('slow', { id: 'm1' }))).toEqual(first)
	expect(calls).toHaveLength(1)
	slow[0]?.()
})

test('an upstream that fails in time fails the turn; a late failure is logged', async () => {
	const failing = await upstream(async ({ body }, { pause }) => {
		if (JSON.parse(body).event.text === 'slow') await pause(2000)
		return statusOnly(500)
	})
	const { url, lines } = await gateway({
		upstream: { url: failing.url },
		routes: [{ name: 'in', path: '/in', platform: 'canonical', late: { after: 1000, reply: says('One moment') } }],
	})
	expect((await call(`${url}/in`, event('quick'))).status).toBe(502)
	expect(await (await call(`${url}/in`, event('slow'))).json()).toMatchObject(says('One moment'))
	await expect
		.poll(() => lines.filter(({ msg }) => msg === 'late'))
		.toMatchObject([{ level: 'error', did: 'failed', error: 'upstream-status', upstreamStatus: 500 }])
})

test('a fault that a late answer meets is logged with its stack', async () => {
	const { slow, said, lateLines } = await slowly({}, says, {}, 'faulty')
	await said(event('slow'))
	slow[0]?.()
	const cause = expect.stringMatching(/^TypeError: a fault of the adapter\n +at /)
	await expect.poll(lateLines).toMatchObject([{ level: 'error', did: 'failed', error: 'internal', cause }])
})

test('a gateway that shuts down waits for late answers, within its limit', async () => {
	const { slow, said, lateLines, close } = await slowly()
	await said(event('slow'))
	const closed = close()
	slow[0]?.()
	await closed
	expect(lateLines()).toMatchObject([{ did: 'kept' }])
})

test('on a strict route a late answer waits for a reply with which it fits, and one that fits with none is logged', async () => {
	const picture = { messages: [{ type: 'image', url: 'https://example.com/dog.png' }] }
	const { slow, said, lateLines } = await slowly({}, (words) => (words.endsWith('picture') ? picture : says(words)), {
		platform: 'two-texts',
		policy: 'strict',
	})
	await said(event('slow picture'))
	slow[0]?.()
	await expect.poll(lateLines).toMatchObject([{ level: 'error', did: 'failed', error: 'reply-does-not-fit' }])
	await Promise.all(['slow 1', 'slow 2'].map((words) => said(event(words))))
	for (const answer of slow.slice(1)) answer()
	await expect.poll(() => lateLines().slice(1)).toMatchObject([{ did: 'kept' }, { did: 'kept' }])
	expect(await said(event('picture'))).toMatchObject({ title: 'reply-does-not-fit' })
	const { texts: first } = await said(event('quick'))
	const { texts: second } = await said(event('quick'))
	expect([first, second].toSorted()).toEqual([
		['slow 1', 'quick'],
		['slow 2', 'quick'],
	])
	expect(await said(event('quick'))).toMatchObject({ texts: ['quick'] })
})

test('on a strict route a late answer outlives a reply that is refused for what it lost before it was fitted', async () => {
	const jump = (words: string) => ({ ...says(words), ...(words === 'jump' && { control: { goto: 'step' } }) })
	const { slow, said, lateLines } = await slowly({}, jump, { policy: 'strict' }, 'two-texts')
	await said(event('slow'))
	slow[0]?.()
	await expect.poll(lateLines).toMatchObject([{ did: 'kept' }])
	expect(await said(event('jump'))).toMatchObject({ title: 'reply-does-not-fit' })
	expect(await said(event('quick'))).toMatchObject({ texts: ['slow', 'quick'] })
})

test('a platform that ignores the answer gets no holding reply, but an error if the upstream did not accept the event in time', async () => {
	const { url: to } = await upstream(() => undefined)
	const quick = ownJson('quick', { deadline: 1800, reply: () => undefined })
	const late = { after: 100, reply: says('One moment') }
	const { url } = await gateway(
		{ upstream: { url: to, timeout: 60_000 }, routes: [{ name: 'in', path: '/in', platform: 'quick', late }] },
		[canonical, quick],
	)
	const answer = await call(`${url}/in`, event('slow'), { signal: AbortSignal.timeout(10_000) })
	expect(answer.status).toBe(504)
	expect(await answer.json()).toMatchObject({ title: 'upstream-timeout' })
})

/** A strict route whose platform shows four texts, a state with ten late replies, and what joins them. */
async function strictly() {
	const { routes } = readConfig(
		{
			upstream: { url: 'http://127.0.0.1:9/' },
			routes: [
				{
					...{ name: 'in', path: '/in', platform: 'canonical', policy: 'strict' },
					late: { after: 1000, reply: { messages: [{ type: 'text', text: 'One moment' }] } },
				},
			],
		},
		{ adapters: [canonical], env: {}, loopback: true },
	)
	const [route] = routes
	if (!route) throw new Error('no route')
	let tries = 0
	const leg: ReplyLeg = {
		carries: { 'reply.text': {}, 'reply.messages': { items: 4 } },
		decode: () => ({ model: emptyReply, unread: [] }),
		encode: jsonResponse,
		refine(model) {
			tries++
			return model
		},
	}
	const text = (words: string): CanonicalReply => ({ ...emptyReply, messages: [{ type: 'text', text: words }] })
	const words = ({ messages }: CanonicalReply) => messages.map((message) => 'text' in message && message.text)
	const state = createState()
	for (let i = 1; i <= 10; i++) await state.addLateReply('c', text(`late ${i}`))
	const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z' }
	const lines: LogLine[] = []
	/** `meanwhile` runs whenever others may run. */
	const joined = (meanwhile = async () => {}) =>
		prependLateReplies(
			text('now'),
			[],
			{ route, conversation: 'c', leg, context },
			{ state, letOthersRun: meanwhile, log: (line) => lines.push(line) },
		)
	return { state, text, words, joined, lines, tries: () => tries }
}

test('on a strict route the largest number of late answers that passes is found by halving, and the others wait in order', async () => {
	const { state, words, joined, lines, tries } = await strictly()
	const { reply, recalled } = await joined()
	expect(words(reply)).toEqual(['late 1', 'late 2', 'late 3', 'now'])
	expect(recalled).toBe(3)
	expect(tries()).toBeLessThanOrEqual(5)
	expect((await state.takeLateReplies('c')).flatMap(words)).toEqual([4, 5, 6, 7, 8, 9, 10].map((i) => `late ${i}`))
	expect(lines).toEqual([])
})

test('late answers that would wait, but for which there is no room any more, are logged', async () => {
	const { state, text, words, joined, lines } = await strictly()
	let others = 0
	await joined(async () => {
		for (let i = 0; i < 2; i++) await state.addLateReply('c', text(`other ${++others}`))
	})
	const waiting = (await state.takeLateReplies('c')).flatMap(words)
	expect(waiting).toHaveLength(10)
	expect(lines).toHaveLength(7 + others - 10)
	expect(lines[0]).toEqual({ level: 'warn', msg: 'late', turn: 'turn_1', route: 'in', did: 'dropped' })
})

test.each(['degrade', 'strict'])(
	'late answers with which a reply would be over the limits of a reply wait for the next, with policy %s',
	async (policy) => {
		const { url } = await upstream(() => json(says('quick')))
		const late = { after: 1000, reply: says('One moment') }
		const { runtime, send } = await start(
			{ upstream: { url }, routes: [{ name: 'in', path: '/in', platform: 'canonical', policy, late }] },
			{ as: 'inside', replace: () => ({ send: async () => json(says('quick')) }) },
		)
		const some = limits.attributes.value * 0.3
		const attributesOf = (n: number) => Object.fromEntries(Array.from({ length: some }, (_, i) => [`${n} ${i}`, i]))
		for (let n = 0; n < 5; n++)
			await runtime.state.addLateReply('in c', { messages: [], attributes: { session: attributesOf(n), user: {} } })
		const body = JSON.stringify({ version: 1, event: event('Hi') })
		const names: string[][] = []
		for (let turn = 0; turn < 3; turn++) {
			const answer = await send({ path: '/in', headers: [['content-type', 'application/json']], body })
			names.push(Object.keys(JSON.parse(answer.body).attributes?.session ?? {}))
		}
		expect(names.map(({ length }) => length)).toEqual([3 * some, 2 * some, 0])
		expect(names[0]?.[0]).toBe('0 0')
		expect(names[1]?.[0]).toBe('3 0')
	},
)

test.each([
	['one that is too large', ['x'.repeat(limits.lateRepliesBytes.value)], ['dropped']],
	[
		'one too large together with those before it',
		['x'.repeat(limits.lateRepliesBytes.value * 0.6), 'ü'.repeat(limits.lateRepliesBytes.value * 0.4)],
		['kept', 'dropped'],
	],
])('of late answers, %s is dropped, and the log says so', async (_, texts, expected) => {
	const { slow, said, lateLines } = await slowly({}, (words) =>
		says(texts[Number(words.replace('slow ', ''))] ?? words),
	)
	for (const [i] of texts.entries()) await said(event(`slow ${i}`))
	for (const [i] of texts.entries()) {
		slow[i]?.()
		await expect.poll(() => lateLines().length).toBe(i + 1)
	}
	expect(lateLines().map(({ did }) => did)).toEqual(expected)
	expect(lateLines().at(-1)).toMatchObject({ level: 'warn', did: 'dropped' })
	expect((await said(event('quick'))).texts).toEqual([...texts.slice(0, -1), 'quick'])
})
