/** Pingstreams under the laws and its fixtures; the shapes are those that the platform was seen to send and to show. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { fitReply } from '../../src/fit/index.ts'
import { jsonRequest } from '../../src/format/index.ts'
import { testAdapter } from '../../test/adapter.ts'
import { testCrypto } from '../../test/crypto.ts'
import { readFixtures } from '../../test/fixtures.ts'
import { timeOf } from '../../test/harness/event-loop.ts'
import { candidateTokens, findToken } from './find-token.ts'
import { pingstreams } from './index.ts'
import { limits } from './limits.ts'

const fixtures = new URL('./fixtures/', import.meta.url)

const conversation = { project: 'p 1/2', conversation: 'support-group-p1-1', token: 'a.b.c', bot: 'b1' }
const addresses = [
	{ ...conversation, dialect: 'external' },
	{ ...conversation, dialect: 'runtime', home: 'order_status' },
	{ ...conversation, dialect: 'server', home: 'order status', channel: 'telegram' },
]

testAdapter(pingstreams, { fixtures, limits, addresses })

test('the event contains no secret of its call', () => {
	for (const { wire, options } of readFixtures(fixtures).event) {
		const read = pingstreams.create(options).event.decode(wire)
		expect(JSON.stringify(read)).not.toContain('hush')
	}
})

test('a transcript of millions of characters is read quickly', () => {
	const transcript = '<user:Ada>Hello\n'.repeat(400_000)
	const body = { payload: { botId: 'b1', message: { _id: 'm1', text: 'Hi' } }, variables: { transcript, step: 2 } }
	const { model, unread } = pingstreams.create().event.decode(jsonRequest(body))
	expect(model.attributes).toEqual({ step: 2 })
	expect(unread).toEqual(['variables.transcript'])
})

test.each([
	['home', undefined],
	['elsewhere', { goto: 'elsewhere' }],
])('the intent "home" called: of a jump to "%s", the answer has %j', (goto, control) => {
	const leg = pingstreams.create().reply({ kind: 'message', attributes: {}, trigger: { kind: 'intent', name: 'home' } })
	if (!leg) throw new Error('no answer is read')
	const reply = { messages: [], attributes: { session: {}, user: {} }, control: { goto } }
	const { value, changes } = fitReply(reply, leg, { turnId: 'turn', receivedAt: '2026-01-01T00:00:00.000Z' })
	expect(value.control).toEqual(control)
	const dropped = [{ did: 'dropped', feature: 'reply.control.goto', path: 'control.goto' }]
	expect(changes).toMatchObject(control ? [] : dropped)
})

test.each([
	['telegram', ['image', 'text']],
	['whatsapp', ['image', 'text']],
	['web', ['cards']],
])('on %s, cards are %j', (channel, types) => {
	const leg = pingstreams.create().reply({ kind: 'message', channel, attributes: {} })
	const cards = [{ title: 'Tea', subtitle: 'Green', imageUrl: 'https://files.example/a.png' }]
	const reply = { messages: [{ type: 'cards' as const, cards }], attributes: { session: {}, user: {} } }
	const { value, changes } = fitReply(reply, leg ?? never(), {
		turnId: 'turn-1',
		receivedAt: '2026-01-02T03:04:05.000Z',
	})
	expect(value.messages.map(({ type }) => type)).toEqual(types)
	expect(changes.some(({ did }) => did === 'converted')).toBe(channel !== 'web')
})

test('buttons of several texts, all under the last one, are told apart by what they belong to', () => {
	const leg = pingstreams.create().reply({ kind: 'message', attributes: {} }) ?? never()
	const card = (title: string, ...buttons: string[]) => ({
		title,
		buttons: buttons.map((each) => ({ type: 'postback' as const, title: each, value: `${each} ${title}` })),
	})
	const more = { type: 'postback' as const, title: 'More', value: 'more' }
	const reply = {
		messages: [
			{ type: 'cards' as const, cards: [card('Tea', 'Buy', 'Info'), card('Coffee', 'Buy')] },
			{ type: 'text' as const, text: 'And the rest?', buttons: [more] },
			{ type: 'text' as const, text: 'Or:', buttons: [more, { type: 'goto' as const, title: 'Buy', target: 'shop' }] },
		],
		attributes: { session: {}, user: {} },
	}
	const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z', remembers: true }
	const { value, changes, offers } = fitReply(reply, leg, context)
	expect(value.messages.map((each) => each.type === 'text' && each.buttons?.map(({ title }) => title))).toEqual([
		undefined,
		undefined,
		undefined,
		['Buy: Tea', 'Info', 'Buy: Coffee', 'More', 'Buy: Or'],
	])
	expect(offers.map(({ label, choice }) => `${label} = ${choice.value}`)).toEqual([
		'Buy: Tea = Buy Tea',
		'Info = Info Tea',
		'Buy: Coffee = Buy Coffee',
		'More = more',
		'More = more',
	])
	expect(changes).toContainEqual(expect.objectContaining({ did: 'merged', feature: 'reply.text.buttons' }))
})

function never(): never {
	throw new Error('Pingstreams reads the answer')
}

describe('the token', () => {
	const { auth } = pingstreams.create({ proof: 'token' })
	const secret = 'bot-secret-0123456789'
	// Made by the library that the platform signs with, npm jsonwebtoken.
	const [head, claims, signature] = [
		'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
		'eyJfaWQiOiJiMSIsIm5hbWUiOiJDYWbDqSIsImlkX3Byb2plY3QiOiJwMSIsImlhdCI6MTc3MjM1NzQwMCwiYXVkIjoiaHR0cHM6Ly90aWxlZGVzay5jb20vYm90cy9iMSIsImlzcyI6Imh0dHBzOi8vdGlsZWRlc2suY29tIiwic3ViIjoiYm90IiwianRpIjoiMGI4ZjdjNTItMTFmMC00ZDVlLThhMzMtMmY5MGIxYzRhN2U2In0',
		'5AQctQy34thJ95x_Hi8MpHhFVHZMuoOZv-r7r-HQyuw',
	]
	const token = `${head}.${claims}.${signature}`
	const payload = { botId: 'b1', message: { text: 'Hi' } }
	const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
	const mac = async (content: string) =>
		Buffer.from(await testCrypto.hmac(new TextEncoder().encode(secret), content), 'base64').toString('base64url')

	test.each<[string, boolean, object]>([
		['as the platform signs it', true, { payload, token }],
		[
			'of a published copy of the bot',
			true,
			{ payload: { ...payload, botId: 'b2', bot: { _id: 'b2', root_id: 'b1' } }, token },
		],
		['without the name of a bot', true, { payload: { message: { text: 'Hi' } }, token }],
		['of another bot', false, { payload: { ...payload, botId: 'b2' }, token }],
		['of another bot, beside an invalid id', false, { payload: { botId: 'b2', bot: { root_id: null } }, token }],
		['of the bot, beside an invalid id', true, { payload: { ...payload, bot: { root_id: null } }, token }],
		['of a bot whose id is a number', false, { payload: { botId: 2 }, token }],
		['in a subscription’s call', false, { payload: {}, hook: { _id: 'b1', event: 'message.create' }, token }],
		['with another claim', false, { payload, token: `${head}.${segment({ sub: 'bot', aud: 'x/b1' })}.${signature}` }],
		['without a signature', false, { payload, token: `${head}.${claims}.` }],
		['with text after it', false, { payload, token: `${token}.x` }],
		['that is invalid', false, { payload, token: 'x' }],
		['missing', false, { payload }],
	])('%s: %s', async (_what, holds, body) => {
		expect(await auth?.verify(jsonRequest(body), [secret], testCrypto)).toBe(holds)
	})

	test('by another algorithm, even with a matching signature', async () => {
		const content = `${segment({ alg: 'HS512', typ: 'JWT' })}.${claims}`
		const call = jsonRequest({ payload, token: `${content}.${await mac(content)}` })
		expect(await auth?.verify(call, [secret], testCrypto)).toBe(false)
	})

	test.each<[string, boolean, string]>([
		['in a body with blanks', true, ` {"payload" : {"botId":"b1"} ,\n"token"\t: "${token}" } `],
		['behind texts that look like it', true, `{"payload":{"a":"\\"token\\":","b":"token"},"token":"${token}"}`],
		['beside one further down', true, `{"payload":{"token":"x"},"list":[{"token":1},"token"],"token":"${token}"}`],
		['only further down', false, `{"payload":{"token":"${token}"}}`],
		['in a list', false, `[{"token":"${token}"}]`],
		['twice', false, `{"token":"${token}","token":"${token}"}`],
		['before another one', false, `{"token":"${token}","payload":{},"token":"x"}`],
		['behind another one', false, `{"token":"x","token":"${token}"}`],
		['before one in another spelling', false, `{"token":"${token}","\\u0074oken":"x"}`],
		['behind one in another spelling', false, `{"tok\\u0065n":"x","token":"${token}"}`],
		['in another spelling', false, `{"\\u0074\\u006f\\u006b\\u0065\\u006e":"${token}"}`],
		['far behind its name', true, `{"token"${' '.repeat(9000)}:${'\n'.repeat(9000)}"${token}"}`],
		['before another one far behind its name', false, `{"token":"${token}","token"${' '.repeat(9000)}:1}`],
		['with an escape', false, `{"token":"${token.replace('e', '\\u0065')}"}`],
		['that is a list', false, `{"token":["${token}"]}`],
		['that is a number', false, '{"token":1}'],
		['that does not end', false, `{"token":"${token}`],
		['that is too long', false, `{"token":"${'x'.repeat(9000)}.${token}"}`],
		// Its sender knows the secret, and learns from decoding what is wrong.
		['in a body that breaks off', true, `{"token":"${token}","payload":`],
	])('%s: %s', async (_what, holds, body) => {
		expect(await auth?.verify({ ...jsonRequest({}), body }, [secret], testCrypto)).toBe(holds)
	})

	test('in any JSON, is the one that a parser finds', () => {
		fc.assert(
			fc.property(fc.json(), fc.constantFrom('a.b.c', 'x', '\\"', 'é', 1, null), (other, given) => {
				const body = JSON.stringify({ '"token":"x",': JSON.parse(other), token: given, '\\"token': [other] })
				const isToken = typeof given === 'string' && /^[\w.-]+$/.test(given)
				expect(findToken(body)).toBe(isToken ? given : undefined)
				if (isToken) expect(candidateTokens(body)).toContain(given)
			}),
		)
	})

	test.each<[string, number]>([
		['among many', 900],
		['among more than a platform sends', 1001],
	])('%s further down', async (_what, count) => {
		const list = Array.from({ length: count }, (_, i) => ({ token: `x${i}` }))
		const call = jsonRequest({ payload, list, token })
		expect(await auth?.verify(call, [secret], testCrypto)).toBe(count < 1000)
	})

	test.each([
		['searched for in a stranger’s body', candidateTokens],
		['found', findToken],
	])('is %s in time that is linear in the length of the body, whatever the body is', (_what, find) => {
		for (const piece of [
			'{"token":',
			'"token",',
			'"\\\\',
			'\\\\"',
			'[',
			' ',
			'"t',
			'{"token" ',
			'"\\\\u0074',
			'"token":"',
			'"token"',
			'"token" : ',
			'"token":"x"',
			'0,',
		]) {
			const took = (length: number) => {
				const body = `{"a":${piece.repeat(length / piece.length)}`
				return Math.min(...[1, 2].map(() => timeOf(() => find(body))))
			}
			took(100_000)
			expect([piece, took(2_000_000) / (took(250_000) + 0.2) < 40]).toEqual([piece, true])
		}
	})

	test('is searched for behind millions of blanks', () => {
		for (const find of [candidateTokens, findToken]) {
			expect([find(`{"token"${' '.repeat(8_000_000)}:"a.b.c"}`)].flat()).toEqual(['a.b.c'])
			expect([find(`{"token"${' '.repeat(8_000_000)}`)].flat().filter((each) => each !== undefined)).toEqual([])
		}
	})

	test('in a body that is not JSON', async () => {
		expect(await auth?.verify({ ...jsonRequest({}), body: `token=${token}` }, [secret], testCrypto)).toBe(false)
	})
})

describe('a turn that failed', () => {
	const { failure } = pingstreams.create()
	const inDialect = (dialect: string) =>
		({ kind: 'message', attributes: {}, extensions: { pingstreams: { dialect } } }) as const

	test.each([
		[
			'is never a 5xx where the answer is read, for that would be sent again',
			inDialect('server'),
			'upstream-timeout',
			424,
		],
		['is the static reply in the default dialect, too', inDialect('runtime'), 'internal', 424],
		['is sent again where none is read', inDialect('external'), 'upstream-unreachable', 503],
		['is not sent again where that would not help', inDialect('subscription'), 'event-does-not-fit', 422],
		['keeps its status where the call was not understood', undefined, 'field-missing', 400],
	] as const)('%s', (_what, event, code, status) => {
		const answer = failure?.(event, new GatewayError(code))
		expect(answer?.status).toBe(status)
		expect(JSON.parse(answer?.body ?? '')).toMatchObject({ title: code, status })
	})
})
