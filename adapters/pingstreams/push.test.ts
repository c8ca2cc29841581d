/** Pushes: where they go, what the API's answers mean, and that the simulated API takes them and executes nothing in them. */
import { describe, expect, test } from 'vitest'
import { fitReply } from '../../src/fit/index.ts'
import {
	type CanonicalReply,
	emptyReply,
	type Json,
	jsonRequest,
	jsonResponse,
	type Push,
	type PushCall,
} from '../../src/format/index.ts'
import { readFixtures } from '../../test/fixtures.ts'
import { pingstreams } from './index.ts'
import { bots, departments, simulatedApi } from './simulated-api/index.ts'

const api = 'https://api.pingstreams.com/v3'
const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2VjcmV0'
const project = '65203e12f8c0cf002cf4110b'
const conversation = `support-group-${project}-4066a69c8b464646a3ff25f9f41575bb`
const bot = '6530f1a2f8c0cf002cf42c01'

function pushOf(options: object = {}): Push {
	const { push } = pingstreams.create({ api, ...options })
	if (!push) throw new Error('there is an API')
	return push
}

const request = { request_id: conversation, lead: { lead_id: 'u1' } }
const message = { _id: 'm1', sender: 'u1', text: 'Hi', request }
const hook = { _id: bot, name: 'Shop', id_project: project }
const external = { payload: message, hook, token }

/** The address for a call with this body. */
function addressFor(body: object, options: object = {}): Json | undefined {
	const call = jsonRequest(body)
	return pushOf(options).address(call, pingstreams.create().event.decode(call).model)
}

describe('an address', () => {
	test('without an API there is none', () => {
		expect(pingstreams.create().push).toBeUndefined()
	})

	test.each<[what: string, body: object, address: object]>([
		['of an external bot', external, { dialect: 'external', bot }],
		[
			'of an intent',
			{
				payload: {
					botId: bot,
					bot: hook,
					message: { ...message, channel: { name: 'telegram' } },
					intent: { intent_display_name: 'order_status' },
				},
				token,
			},
			{ dialect: 'runtime', bot, home: 'order_status', channel: 'telegram' },
		],
		[
			'of a subscription',
			{ payload: message, hook: { event: 'message.create', id_project: project }, token },
			{ dialect: 'subscription' },
		],
	])('%s', (_what, body, address) => {
		expect(addressFor(body)).toEqual({ project, conversation, token, ...address })
	})

	test.each([token, `JWT ${token}`, `jwt ${token}`, ` JWT  ${token} `, `JWT JWT ${token}`])(
		'has the token once, and its scheme is written once: %s',
		(given) => {
			const address = addressFor({ ...external, token: given })
			if (address === undefined) throw new Error('there is a token')
			expect(pushOf().target(address).headers).toEqual([['authorization', `JWT ${token}`]])
		},
	)

	test.each<[what: string, body: object]>([
		['a token', { ...external, token: undefined }],
		['a token that is one', { ...external, token: `${token}\r\nx: y` }],
		['a project', { payload: message, hook: { _id: bot }, token }],
		['a conversation', { payload: { ...message, request: {} }, hook, token }],
		['a user', { ...external, payload: { ...message, request: { ...request, request_id: 'automation-request-p-1' } } }],
		['a project that a path can hold', { payload: message, hook: { ...hook, id_project: '..' }, token }],
		['a conversation that a path can hold', { ...external, payload: { ...message, request: { request_id: '.' } } }],
		['well-formed ids', { ...external, payload: { ...message, request: { request_id: '\ud800' } } }],
		[
			'a question: a subscription reports what the bot said',
			{
				payload: { ...message, sender: `bot_${bot}` },
				hook: { event: 'message.create', id_project: project },
				token,
			},
		],
	])('wants %s', (_what, body) => {
		expect(addressFor(body)).toBeUndefined()
	})

	test('leads to the API of the options, whatever the call names', () => {
		const given = addressFor({ ...external, api: 'https://evil.example', payload: { ...message, api: 'x' } })
		expect(JSON.stringify(given)).not.toContain('evil')
		expect(pushOf({ api: `${api}/` }).target(given ?? null).api).toBe(api)
	})

	test.each<Json>([
		null,
		{},
		{ project, conversation, token: 'a b', dialect: 'external' },
		{ project: '..', conversation, token, dialect: 'external' },
	])('of another shape is refused, without its token: %j', (address) => {
		expect(() => pushOf().target(address)).toThrow(/^(?!.*a b)/)
		expect(() => pushOf().target(address)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^field-/) }))
	})
})

test.each([
	...['http://127.0.0.1:8790', 'https://api.tiledesk.com/v3/', 'https://chat.example:8443/a/b'].map(
		(url) => [url, true] as const,
	),
	...[
		'api.example',
		'ftp://api.example',
		'https://',
		'https://a:b@api.example',
		'https://api.example?x=1',
		'https://api.example/#x',
		' https://api.example',
	].map((url) => [url, false] as const),
])('an API at %j: %s', (url, isAccepted) => {
	const create = () => pingstreams.create({ api: url })
	if (isAccepted) expect(create).not.toThrow()
	else expect(create).toThrow(/credentials/)
})

describe('an answer of the API', () => {
	const { judge, complete } = pushOf().target({ project, conversation, token, dialect: 'external' })

	test.each<[status: number, body: Json, result: string, reason?: string]>([
		[200, { success: true }, 'accepted'],
		[202, '', 'accepted'],
		[301, '', 'refused'],
		[401, 'Unauthorized', 'refused', 'Unauthorized'],
		[401, { err: 'error ip filter' }, 'refused', 'error ip filter'],
		[403, { success: false, msg: 'you dont have the required role.' }, 'refused', 'you dont have the required role.'],
		[
			403,
			{ success: false, msg: 'Unauthorized. Project_user not found with user id  : u1' },
			'refused',
			'Unauthorized. Project_user not found with user id : u1',
		],
		[403, { success: false, message: 'Requests quota exceeded' }, 'refused', 'Requests quota exceeded'],
		[400, { error: 'Invalid project id: p1' }, 'refused', 'Invalid project id: p1'],
		[400, { error: 'Project not found with id: p1' }, 'refused', 'Project not found with id: p1'],
		[400, { success: false, error: `Unable to remove the participant x from the request ${conversation}` }, 'accepted'],
		[400, { success: false, error: 'Unable to remove the participant bot_1' }, 'accepted'],
		[400, { success: false, error: 'Unable to remove' }, 'refused', 'Unable to remove'],
		[
			403,
			{ success: false, error: 'Unable to remove the participant x' },
			'refused',
			'Unable to remove the participant x',
		],
		[
			400,
			{ success: false, error: "Missing field 'id' or 'name' in body" },
			'refused',
			"Missing field 'id' or 'name' in body",
		],
		[404, { success: false, msg: 'Request not found' }, 'refused', 'Request not found'],
		[404, { success: false, msg: 'Object not found.' }, 'refused', 'Object not found.'],
		[404, { success: false, error: "Chatbot with name 'x' not found" }, 'refused', "Chatbot with name 'x' not found"],
		[413, { err: 'Request entity too large', limit: 512000 }, 'refused', 'Request entity too large'],
		[422, { errors: ['text field is required'] }, 'refused', 'text field is required'],
		[
			422,
			{ errors: [{ value: '', msg: 'Invalid value', param: 'member', location: 'body' }] },
			'refused',
			'Invalid value',
		],
		[429, 'Too Many Requests', 'retry', 'Too Many Requests'],
		[500, { success: false, msg: 'Error creating message', err: {} }, 'retry', 'Error creating message'],
		[500, { success: false, error: 'Error finding request' }, 'retry', 'Error finding request'],
		[500, { err: 'error' }, 'retry', 'error'],
		[502, '<html>\n<h1>Bad Gateway</h1>\n</html>', 'retry', '<html> <h1>Bad Gateway</h1> </html>'],
		[503, '', 'retry'],
		[404, { msg: '', error: 42, message: 'odd' }, 'refused', 'odd'],
		[404, { errors: [] }, 'refused', '{"errors":[]}'],
		[404, [], 'refused', '[]'],
	])('%s %j: %s %s', (status, body, result, reason) => {
		const answer = typeof body === 'string' ? { status, headers: [], body } : jsonResponse(Object(body), status)
		expect(judge(answer)).toEqual(reason === undefined ? { result } : { result, reason })
	})

	test.each<[what: string, body: string]>([
		['the token', JSON.stringify({ msg: `no such token: ${token}` })],
		['another token', JSON.stringify({ msg: `no: ${token.replace('c2VjcmV0', 'b3RoZXI')}` })],
		['a token at the place of the cut', JSON.stringify({ msg: `${'x'.repeat(190)} ${token}` })],
		['a long page', `<html>${'x'.repeat(100_000)}${token}`],
	])('its reason is short, and does not repeat %s', (_what, body) => {
		const { reason } = { reason: '', ...judge({ status: 401, headers: [], body }) }
		expect(reason).not.toMatch(/eyJ|c2VjcmV0/)
		expect(reason.length).toBeLessThanOrEqual(200)
	})

	const call: PushCall = {
		method: 'PUT',
		path: `/${project}/requests/${conversation}/departments`,
		headers: [],
		body: '{"nobot":true}',
		lookup: { path: `/${project}/departments`, name: 'sales' },
	}
	const { lookup: _, ...complete1 } = call

	test.each<[what: string, answer: Json, id: string | undefined]>([
		['by its name', departments.map(({ _id, name }) => ({ _id, name })), departments[1]._id],
		[
			'in the very case first',
			[
				{ _id: 'd1', name: 'SALES' },
				{ _id: 'd2', name: 'sales' },
			],
			'd2',
		],
		[
			'among odd ones',
			[
				{ _id: 'd0', name: null },
				{ _id: 'd1', name: 'Sales', more: 1 },
			],
			'd1',
		],
		['unless there is none', [{ _id: 'd1', name: 'Support' }], undefined],
		['unless the list is empty', [], undefined],
	])('finds a department %s', (_what, answer, id) => {
		const completed = complete?.(call, jsonResponse(Object(answer)))
		expect(completed).toEqual(id && { ...complete1, body: JSON.stringify({ departmentid: id, nobot: true }) })
	})

	test.each(['{"msg":"x"}', '[{"name":"Sales"}]', 'null', '', '<html></html>'])(
		'finds no department in what is no list of them: %s',
		(body) => {
			expect(() => complete?.(call, { status: 200, headers: [], body })).toThrow(
				expect.objectContaining({ code: expect.stringMatching(/^(?:body|field)-/) }),
			)
		},
	)
})

/** An API that knows the conversation, and makes calls of it. */
function opened() {
	const simulated = simulatedApi()
	simulated.admit(jsonRequest(external))
	const { leg, headers, complete } = pushOf().target({ project, conversation, token, dialect: 'external', bot })
	const make = (call: PushCall): CanonicalReply => {
		const answer = (each: PushCall) => simulated.answer({ ...each, headers: [...headers, ...each.headers] })
		const found = call.lookup && answer({ ...call, method: 'GET', path: call.lookup.path, body: '' }).response
		const { response, seen } = answer(found ? (complete?.(call, found) ?? call) : call)
		if (response.status !== 200) throw new Error(`${response.status} ${response.body}`)
		return seen ?? emptyReply
	}
	const push = (reply: CanonicalReply) => leg.encode(fitReply(reply, leg, context).value).map(make)
	return { push, make }
}

describe('the simulated API', () => {
	const fixtures = readFixtures(new URL('./fixtures/', import.meta.url)).push

	test.each(fixtures.map(({ name, encoded }) => [name, encoded] as const))('takes the calls of %s', (_name, calls) => {
		const { make } = opened()
		expect(() => calls.map(make)).not.toThrow()
	})

	test('shows what a reply says and does, messages first, the end last', () => {
		const seen = opened().push({
			messages: [
				{ type: 'choices', text: 'Tea?', choices: [{ title: 'Yes', value: 'yes' }] },
				{ type: 'image', url: 'https://img.example/cat.png', alt: 'A cat' },
			],
			attributes: { session: { order: 7 }, user: {} },
			control: {
				tags: ['vip'],
				participants: { add: ['u2'], remove: [bot] },
				handover: { to: 'department', name: 'sales' },
				close: true,
			},
		})
		expect(seen.map(({ messages, attributes, control }) => control ?? messages[0] ?? attributes.session)).toEqual([
			{ type: 'text', text: 'Tea?' },
			{ type: 'image', url: 'https://img.example/cat.png', alt: 'A cat' },
			{ type: 'text', text: '…', buttons: [{ type: 'postback', title: 'Yes', value: 'yes' }] },
			{ order: 7 },
			{ tags: ['vip'] },
			{ participants: { add: ['u2'] } },
			{ participants: { remove: [`bot_${bot}`] } },
			{ handover: { to: 'department', id: departments[1]._id, name: 'Sales' } },
			{ close: true },
		])
	})

	test.each([bots[0]._id, `bot_${bots[0]._id}`, bots[0].slug])('hands over to the bot with the id %s', (id) => {
		const [seen] = opened().push({ ...emptyReply, control: { handover: { to: 'bot', id } } })
		expect(seen?.control?.handover).toEqual({ to: 'bot', id: bots[0]._id, name: bots[0].name })
	})

	test.each([
		'\\agent',
		'Wait \\close',
		'a \\ b \\agent',
		`Say \${LABEL_WELCOME}`,
		`\${chatbotToken}`,
		'{{ token }} {% if x %}',
		'* Yes\n* No',
		'tdImage:https://img.example/cat.png',
		'\\_tdClose',
		'One\n\nTwo',
		'\\webhook:https://evil.example',
	])('executes nothing in the words of a backend: %j', (text) => {
		const words = (seen: CanonicalReply) => JSON.stringify(seen.messages).replaceAll('\u2060', '')
		const link = { type: 'link' as const, title: text, url: 'https://shop.example/a' }
		const [said, shown] = opened().push({
			...emptyReply,
			messages: [
				{ type: 'text', text, buttons: [link] },
				{ type: 'image', url: 'https://img.example/cat.png', alt: text },
			],
		})
		expect([said?.control, shown?.control]).toEqual([undefined, undefined])
		expect(words(said ?? emptyReply)).toBe(JSON.stringify([{ type: 'text', text, buttons: [link] }]))
		expect(words(shown ?? emptyReply)).toBe(
			JSON.stringify([{ type: 'image', url: 'https://img.example/cat.png', alt: text }]),
		)
	})

	test('parses markup only where an override asks for it, never a template', () => {
		const overrides = { pingstreams: { text: '{{token}}\n* Yes', actions: [{ _tdActionType: 'x' }] } }
		const seen = opened().push({ ...emptyReply, overrides })
		expect(seen.map(({ messages }) => messages)).toEqual([
			[{ type: 'text', text: '{{token}}', buttons: [{ type: 'postback', title: 'Yes', value: 'Yes' }] }],
		])
	})

	test('takes replies of any size: texts are split, and what is over the limit of a call is named', () => {
		const { leg } = pushOf().target({ project, conversation, token, dialect: 'external' })
		const cards = Array.from({ length: 60 }, (_, i) => ({
			title: `${i}`,
			subtitle: '€'.repeat(5000),
			imageUrl: 'https://img.example/2.png',
		}))
		const { value, changes } = fitReply(
			{
				messages: [
					{ type: 'text', text: 'é\u0001 '.repeat(100_000) },
					{ type: 'cards', cards },
				],
				attributes: { session: { huge: '€'.repeat(200_000), small: 1 }, user: {} },
			},
			leg,
			context,
		)
		for (const { body } of leg.encode(value)) expect(Buffer.byteLength(body)).toBeLessThan(512_000)
		expect(changes.map(({ did, path }) => `${did} ${path}`)).toEqual([
			'split messages[0].text',
			expect.stringMatching(/^dropped messages\[\d\]$/),
			'dropped attributes.session.huge',
		])
		expect(value.attributes.session).toEqual({ small: 1 })
	})
})
