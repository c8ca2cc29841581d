/** Pingstreams under the laws and its fixtures; the shapes are those that the platform was seen to send and to show. */
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { jsonRequest } from '../../src/codec.ts'
import { GatewayError } from '../../src/errors.ts'
import { testAdapter } from '../../test/adapter.ts'
import { testCrypto } from '../../test/crypto.ts'
import { readFixtures } from '../../test/fixtures.ts'
import { pingstreams } from './index.ts'

const fixtures = new URL('./fixtures/', import.meta.url)
const some = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())
const said = v.pipe(v.string(), v.nonEmpty())
const optional = v.optional(said)

// What the platform calls with: Tiledesk/tiledesk-server, models/message.js, request.js, lead.js, faq.js, faq_kb.js.
const pixels = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)))
const lead = v.strictObject({
	lead_id: said,
	fullname: optional,
	email: optional,
	phone: optional,
	attributes: v.optional(v.record(v.string(), v.any())),
})
const message = v.strictObject({
	_id: said,
	sender: said,
	senderFullname: optional,
	recipient: said,
	type: v.picklist(['text', 'image', 'file']),
	text: v.string(),
	metadata: v.optional(
		v.strictObject({
			src: optional,
			name: optional,
			type: optional,
			width: pixels,
			height: pixels,
			button: v.optional(v.literal(true)),
		}),
	),
	attributes: v.optional(
		v.strictObject({
			action: optional,
			subtype: v.optional(v.literal('private')),
			payload: v.optional(v.record(v.string(), v.any())),
		}),
	),
	createdAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
	channel: v.optional(v.strictObject({ name: said })),
	id_project: optional,
	request: v.strictObject({
		request_id: said,
		id_project: optional,
		language: optional,
		lead,
		draft: v.optional(v.literal(true)),
		department: v.optional(v.strictObject({ _id: optional, name: optional })),
	}),
})
const bot = v.strictObject({ _id: optional, name: optional, id_project: optional })
const intent = v.strictObject({
	intent_id: optional,
	intent_display_name: optional,
	question: optional,
	answer: optional,
})
const call = v.union([
	v.strictObject({
		payload: v.strictObject({ botId: optional, bot, message, intent }),
		variables: v.record(v.string(), v.any()),
	}),
	v.strictObject({ payload: v.strictObject({ text: v.string(), bot, message, intent }) }),
	v.strictObject({ payload: message, hook: bot }),
	v.strictObject({
		payload: message,
		hook: v.strictObject({ event: v.pipe(v.string(), v.startsWith('message.')), id_project: optional }),
	}),
])

// What the engines execute, found in a text by their own patterns: Tiledesk/tiledesk-chatbot-util, index.js; Filler.js.
const executed = /(?:\\_td|\\agent|\\close)|\$\{|\{\{|\{%|^\\(?:image|webhook)|^\*\s|^td(?:Image|Frame|Video).*:http/m
const words = v.pipe(
	v.string(),
	v.check((text) => text.trim() !== '', 'is blank'),
	v.check((text) => !executed.test(text) && !executed.test(text.trim()), 'is executed'),
)
const label = v.pipe(
	said,
	v.check((text) => !/\$\{|\{\{|\{%/.test(text), 'is filled in'),
)
const button = v.variant('type', [
	v.strictObject({ type: v.literal('text'), value: label }),
	v.strictObject({
		type: v.literal('url'),
		value: label,
		link: label,
		target: v.picklist(['blank', 'parent', 'self']),
	}),
	v.strictObject({ type: v.literal('action'), value: label, action: said, show_echo: v.boolean() }),
])
const template = (entries: v.ObjectEntries) =>
	v.strictObject({ attachment: v.strictObject({ type: v.literal('template'), ...entries }) })
const card = v.strictObject({
	preview: v.strictObject({ src: label }),
	title: label,
	description: v.optional(label),
	buttons: v.optional(some(button)),
})
const spoken = v.union([
	v.strictObject({ type: v.literal('text'), text: words, attributes: v.optional(template({ buttons: some(button) })) }),
	// What an author wrote in markup, on purpose.
	v.strictObject({ type: v.literal('text'), text: said, attributes: v.strictObject({ markbot: v.literal(true) }) }),
	v.strictObject({ type: v.literal('image'), text: words, metadata: v.strictObject({ src: label }) }),
	v.strictObject({
		type: v.literal('frame'),
		text: words,
		metadata: v.strictObject({ src: label, type: v.pipe(v.string(), v.regex(/^video(?:\/|$)/i)) }),
	}),
	v.strictObject({
		type: v.literal('file'),
		text: words,
		metadata: v.strictObject({ src: label, name: words, type: said }),
	}),
	v.strictObject({ type: v.literal('gallery'), text: words, attributes: template({ gallery: some(card) }) }),
])
const wait = v.strictObject({ type: v.literal('wait'), time: v.pipe(v.number(), v.minValue(1)) })
const command = v.strictObject({ type: v.literal('message'), message: spoken })
const commands = v.pipe(
	some(v.union([wait, command])),
	// At the second message and later the widget reads what stands two places before.
	v.check((all) => all.every(({ type }, i) => type !== all[i - 1]?.type), 'two of a kind in a row'),
	v.check((all) => all.at(-1)?.type === 'message', 'ends with a wait'),
)
const action = v.union([
	v.strictObject({ _tdActionType: v.literal('reply'), attributes: v.strictObject({ commands }) }),
	v.strictObject({ _tdActionType: v.literal('agent') }),
	v.strictObject({ _tdActionType: v.literal('department'), depName: said }),
	v.strictObject({ _tdActionType: v.literal('replacebotv2'), botName: label, blockName: optional }),
	v.strictObject({ _tdActionType: v.literal('close') }),
	// The intent that calls would call again: no law's event has this name.
	v.strictObject({ _tdActionType: v.literal('intent'), intentName: said }),
	v.looseObject({
		_tdActionType: v.pipe(said, v.notValues(['reply', 'agent', 'department', 'replacebotv2', 'close', 'intent'])),
	}),
])
const answer = v.union([
	v.strictObject({}),
	spoken,
	v.strictObject({ actions: some(action) }),
	v.strictObject({ text: v.pipe(v.string(), v.nonEmpty()), attributes: v.strictObject({ commands }) }),
])

testAdapter(pingstreams, {
	fixtures,
	options: [
		{},
		{ dialect: 'server', proof: 'token' },
		{ dialect: 'server', silence: 'Hm.', caption: 'File' },
		{ dialect: 'external', proof: 'token' },
		{ dialect: 'subscription', proof: 'hook-secret' },
	],
	limits: { event: call, reply: answer },
})

test('no secret of a call gets into its event', () => {
	for (const { wire, options } of readFixtures(fixtures).event) {
		const read = pingstreams.create(options).event.decode(wire)
		expect(JSON.stringify(read)).not.toContain('hush')
	}
})

test('a talk of some millions of characters is no burden', () => {
	const transcript = '<user:Ada>Hello\n'.repeat(400_000)
	const body = { payload: { botId: 'b1', message: { _id: 'm1', text: 'Hi' } }, variables: { transcript, step: 2 } }
	const { model, unread } = pingstreams.create().event.decode(jsonRequest(body))
	expect(model.attributes).toEqual({ step: 2 })
	expect(unread).toEqual(['variables.transcript'])
})

test('a jump to the intent that calls is not carried, another is', () => {
	const leg = pingstreams.create().reply({ kind: 'message', attributes: {}, trigger: { kind: 'intent', name: 'home' } })
	expect(leg?.carries['reply.control.goto']).toEqual({ reserved: ['home'] })
})

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
		['where no bot is named', true, { payload: { message: { text: 'Hi' } }, token }],
		['of another bot', false, { payload: { ...payload, botId: 'b2' }, token }],
		['of another bot, beside an id that is none', false, { payload: { botId: 'b2', bot: { root_id: null } }, token }],
		['of the bot, beside an id that is none', true, { payload: { ...payload, bot: { root_id: null } }, token }],
		['of a bot whose id is a number', false, { payload: { botId: 2 }, token }],
		['in a subscription’s call', false, { payload: {}, hook: { _id: 'b1', event: 'message.create' }, token }],
		['with another claim', false, { payload, token: `${head}.${segment({ sub: 'bot', aud: 'x/b1' })}.${signature}` }],
		['without a signature', false, { payload, token: `${head}.${claims}.` }],
		['with more behind it', false, { payload, token: `${token}.x` }],
		['that is none', false, { payload, token: 'x' }],
		['missing', false, { payload }],
	])('%s: %s', async (_what, holds, body) => {
		expect(await auth?.verify(jsonRequest(body), [secret], testCrypto)).toBe(holds)
	})

	test('by another algorithm, though the signature would hold', async () => {
		const content = `${segment({ alg: 'HS512', typ: 'JWT' })}.${claims}`
		const call = jsonRequest({ payload, token: `${content}.${await mac(content)}` })
		expect(await auth?.verify(call, [secret], testCrypto)).toBe(false)
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
		['is the static reply in the usual dialect, too', inDialect('runtime'), 'internal', 424],
		['is sent again where none is read', inDialect('external'), 'upstream-unreachable', 503],
		['is not sent again where that would not help', inDialect('subscription'), 'event-does-not-fit', 422],
		['keeps its status where the call was not understood', undefined, 'field-missing', 400],
	] as const)('%s', (_what, event, code, status) => {
		const answer = failure?.(event, new GatewayError(code))
		expect(answer?.status).toBe(status)
		expect(JSON.parse(answer?.body ?? '')).toMatchObject({ title: code, status })
	})
})
