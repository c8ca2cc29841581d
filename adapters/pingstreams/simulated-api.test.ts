/** The simulated API: whom it lets in, what it accepts, and that it refuses what the platform refuses, in the platform's words. */
import { describe, expect, test } from 'vitest'
import { type ApiCall, type Fields, type Json, jsonRequest, type SimulatedApi } from '../../src/format/index.ts'
import { bots, departments, simulatedApi } from './simulated-api/index.ts'

const project = '65203e12f8c0cf002cf4110b'
const conversation = `support-group-${project}-4066a69c8b464646a3ff25f9f41575bb`
const bot = '6530f1a2f8c0cf002cf42c01'
const here = `/${project}/requests/${conversation}`

/** An API that knows one conversation, and the token for it. */
function opened(): { api: SimulatedApi; token: string } {
	const api = simulatedApi()
	const message = { _id: 'm1', text: 'Hi', recipient: conversation, id_project: project }
	const payload = { ...message, request: { request_id: conversation, id_project: project } }
	const { body } = api.admit(jsonRequest({ payload, hook: { _id: bot, name: 'Shop', id_project: project } }))
	return { api, token: JSON.parse(body).token }
}

function calls() {
	const { api, token } = opened()
	return (method: string, path: string, body?: Json, headers: Fields = [['authorization', `JWT ${token}`]]) => {
		const call: ApiCall = { method, path, headers, body: body === undefined ? '' : JSON.stringify(body) }
		const { response, seen } = api.answer(call)
		return { status: response.status, body: response.body, seen }
	}
}

describe('lets in', () => {
	test.each<[what: string, status: number, headers: (token: string) => Fields]>([
		['the token behind its scheme', 200, (token) => [['authorization', `JWT ${token}`]]],
		['the scheme in another case', 200, (token) => [['authorization', `jwt ${token}`]]],
		['no bare token', 401, (token) => [['authorization', token]]],
		['no other scheme', 401, (token) => [['authorization', `Bearer ${token}`]]],
		['no scheme twice', 401, (token) => [['authorization', `JWT JWT ${token}`]]],
		['no token that it did not give', 401, (token) => [['authorization', `JWT ${token}x`]]],
		['no two tokens', 401, (token) => [1, 2].map(() => ['authorization', `JWT ${token}`] as const)],
		['no credentials', 401, () => []],
	])('%s', (_what, status, headers) => {
		const { api, token } = opened()
		const { response } = api.answer({ method: 'GET', path: here, headers: headers(token), body: '' })
		expect(response.status).toBe(status)
		if (status === 401) expect(response.body).toBe('Unauthorized')
	})

	test('the token that a call has already, and leaves the call as it is', () => {
		const api = simulatedApi()
		const payload = { recipient: conversation, id_project: project, request: { request_id: conversation } }
		const call = jsonRequest({ payload, hook: { _id: bot, id_project: project }, token: 'a.b.c' })
		expect(api.admit(call)).toBe(call)
		const headers: Fields = [['authorization', 'JWT a.b.c']]
		expect(api.answer({ method: 'GET', path: here, headers, body: '' }).response.status).toBe(200)
	})
})

test('shows messages in order, and keeps hidden ones from the user', () => {
	const call = calls()
	const image = { type: 'image', text: 'A cat', metadata: { src: 'https://img.example/cat.png' } }
	expect(call('POST', `${here}/messages`, { text: 'One' }).seen?.messages).toEqual([{ type: 'text', text: 'One' }])
	expect(call('POST', `${here}/messages/multi`, [{ text: 'Two' }, image]).seen?.messages).toEqual([
		{ type: 'text', text: 'Two' },
		{ type: 'image', url: 'https://img.example/cat.png', alt: 'A cat' },
	])
	const note = { text: 'A note', attributes: { subtype: 'private' } }
	const { status, seen } = call('POST', `${here}/messages`, note)
	expect([status, seen]).toEqual([200, undefined])
})

test('answers a message with the message and its request', () => {
	const { body } = calls()('POST', `${here}/messages`, { text: 'One' })
	expect(JSON.parse(body)).toMatchObject({
		text: 'One',
		sender: `bot_${bot}`,
		recipient: conversation,
		status: 0,
		request: { request_id: conversation, id_project: project, status: 200 },
	})
})

test.each<[what: string, message: Json, seen: object]>([
	['a label', { text: `Say \${LABEL_WELCOME}` }, { messages: [{ type: 'text', text: 'Welcome to the shop' }] }],
	['no label that it has not', { text: `\${NAME}` }, { messages: [{ type: 'text', text: `\${NAME}` }] }],
	['a hand-over', { text: 'Wait \\agent' }, { control: { handover: { to: 'human' } } }],
	['an end', { text: '\\close' }, { control: { close: true } }],
	['no command before other words', { text: '\\close it' }, { messages: [{ type: 'text', text: '\\close it' }] }],
	[
		'a block of the input',
		{ text: 'Wait', attributes: { disableInputMessage: true } },
		{ control: { blockInput: true } },
	],
	['no buttons unasked', { text: '* Yes' }, { messages: [{ type: 'text', text: '* Yes' }] }],
	[
		'buttons where it is asked to',
		{ text: 'Pick\n* Yes', attributes: { microlanguage: true } },
		{ messages: [{ type: 'text', text: 'Pick', buttons: [{ type: 'postback', title: 'Yes', value: 'Yes' }] }] },
	],
	['no template unasked', { text: '{{x}}!' }, { messages: [{ type: 'text', text: '{{x}}!' }] }],
	[
		'a template where it is asked to',
		{ text: '{{x}}!', attributes: { templateProcessor: true } },
		{ messages: [{ type: 'text', text: '!' }] },
	],
])('executes %s', (_what, message, seen) => {
	expect(calls()('POST', `${here}/messages`, message).seen).toMatchObject(seen)
})

test.each<[what: string, method: string, path: string, body: Json | undefined, request: object, control: object]>([
	['closes', 'PUT', '/close', {}, { status: 1000 }, { close: true }],
	['hands over to people', 'PUT', '/agent', undefined, { status: 200 }, { handover: { to: 'human' } }],
	[
		'hands over to a department',
		'PUT',
		'/departments',
		{ departmentid: departments[1]._id, nobot: true },
		{ department: { name: 'Sales' } },
		{ handover: { to: 'department', id: departments[1]._id, name: 'Sales' } },
	],
	...(['id', 'name', 'slug'] as const).map((key): [string, string, string, Json, object, object] => [
		`replaces the bot by its ${key}`,
		'PUT',
		'/replace',
		{ [key]: key === 'id' ? bots[0]._id : bots[0][key] },
		{ participants: [`bot_${bots[0]._id}`] },
		{ handover: { to: 'bot', id: bots[0]._id, name: bots[0].name } },
	]),
	[
		'adds a participant',
		'POST',
		'/participants',
		{ member: 'u1' },
		{ participants: [`bot_${bot}`, 'u1'] },
		{ participants: { add: ['u1'] } },
	],
	[
		'sets the participants',
		'PUT',
		'/participants',
		['u1'],
		{ participants: ['u1'] },
		{ participants: { add: ['u1'], remove: [`bot_${bot}`] } },
	],
	[
		'removes a participant, the last one into the queue',
		'DELETE',
		`/participants/bot_${bot}`,
		undefined,
		{ participants: [], status: 100 },
		{ handover: { to: 'human', id: 'unassigned' } },
	],
	['sets tags', 'PATCH', '', { tags: [{ tag: 'vip' }], unknown: 1 }, { tags: [{ tag: 'vip' }] }, { tags: ['vip'] }],
])('%s', (_what, method, path, body, request, control) => {
	const call = calls()
	const answer = call(method, here + path, body)
	expect(answer.status).toBe(200)
	expect(JSON.parse(answer.body)).toMatchObject(request)
	expect(answer.seen?.control).toEqual(control)
	expect(JSON.parse(call('GET', here).body)).toMatchObject(request)
})

test('merges attributes, and assigns only unassigned conversations', () => {
	const call = calls()
	call('PATCH', `${here}/attributes`, { a: 1, b: { c: 2 } })
	expect(JSON.parse(call('PATCH', `${here}/attributes`, { a: 3 }).body)).toMatchObject({
		attributes: { a: 3, b: { c: 2 } },
	})
	const [, sales, support] = departments
	expect(call('PUT', `${here}/assign`, { departmentid: sales._id }).seen).toBeUndefined()
	call('PUT', `${here}/participants`, [])
	expect(call('PUT', `${here}/assign`, { departmentid: support._id }).seen?.control?.handover?.name).toBe('Support')
})

test.each(['/departments', '/departments/allstatus'])('lists the departments at %s', (path) => {
	const list = JSON.parse(calls()('GET', `/${project}${path}`).body)
	expect(list).toMatchObject(departments.map(({ _id, name }) => ({ _id, name })))
})

const gone = `/${project}/requests/support-group-gone`

test.each<[what: string, method: string, path: string, body: Json | undefined, status: number, answer: object]>([
	[
		'too much',
		'POST',
		`${here}/messages`,
		{ text: 'x'.repeat(512_000) },
		413,
		{ err: 'Request entity too large', limit: 512_000 },
	],
	['an unknown project', 'GET', `/${bot}/departments`, undefined, 400, { error: `Project not found with id: ${bot}` }],
	['what is no project', 'GET', '/p1/departments', undefined, 400, { error: 'Invalid project id: p1' }],
	['a message without words', 'POST', `${here}/messages`, { text: ' ' }, 422, { errors: ['text field is required'] }],
	[
		'one of several',
		'POST',
		`${here}/messages/multi`,
		[{ text: 'x' }, {}],
		422,
		{ errors: ['text field is required'] },
	],
	['no list', 'POST', `${here}/messages/multi`, { text: 'x' }, 422, { errors: ['request body is not array'] }],
	[
		'an odd message',
		'POST',
		`${here}/messages`,
		{ text: 'x', type: {} },
		500,
		{ success: false, msg: 'Error creating message' },
	],
	[
		'no member',
		'POST',
		`${here}/participants`,
		{},
		422,
		{ errors: [{ msg: 'Invalid value', param: 'member', location: 'body' }] },
	],
	[
		'an unknown department',
		'PUT',
		`${here}/departments`,
		{ departmentid: 'x' },
		500,
		{ success: false, msg: 'Error changing the department.' },
	],
	[
		'an unknown bot',
		'PUT',
		`${here}/replace`,
		{ name: 'Nobody' },
		404,
		{ success: false, error: "Chatbot with name 'Nobody' not found" },
	],
	[
		'a bot by its id as a participant',
		'PUT',
		`${here}/replace`,
		{ id: `bot_${bot}` },
		404,
		{ success: false, error: `Chatbot with id 'bot_${bot}' not found` },
	],
	['no bot', 'PUT', `${here}/replace`, {}, 400, { success: false, error: "Missing field 'id' or 'name' in body" }],
	[
		'a stranger who should leave',
		'DELETE',
		`${here}/participants/u9`,
		undefined,
		400,
		{ success: false, error: `Unable to remove the participant u9 from the request ${conversation}` },
	],
	['tags that are words', 'PATCH', here, { tags: ['vip'] }, 500, { success: false, msg: 'Error updating object.' }],
	['an unknown conversation', 'GET', gone, undefined, 404, { success: false, msg: 'Object not found.' }],
	[
		'a message to one',
		'POST',
		`${gone}/messages`,
		{ text: 'x' },
		500,
		{ success: false, msg: 'Error creating request' },
	],
	[
		'a message to one by somebody',
		'POST',
		`${gone}/messages`,
		{ text: 'x', sender: 'u9' },
		403,
		{ success: false, msg: 'Unauthorized. Project_user not found with user id  : u9' },
	],
	[
		'several messages to one',
		'POST',
		`${gone}/messages/multi`,
		[{ text: 'x' }],
		404,
		{ success: false, msg: 'Request not found' },
	],
	['tags of one', 'PATCH', gone, { tags: [{ tag: 'x' }] }, 404, { success: false, msg: 'Request not found' }],
])('refuses %s', (_what, method, path, body, status, answer) => {
	const call = calls()
	const given = call(method, path, body)
	expect({ status: given.status, body: JSON.parse(given.body) }).toEqual({ status, body: answer })
	expect(given.seen).toBeUndefined()
})

test('refuses what is no JSON, and what it has no route for', () => {
	const { api, token } = opened()
	const headers: Fields = [['authorization', `JWT ${token}`]]
	const answer = (method: string, path: string, body = '') =>
		api.answer({ method, path, headers, body }).response.status
	expect(answer('POST', `${here}/messages`, '{')).toBe(500)
	expect([
		answer('DELETE', here),
		answer('PUT', `${here}/nothing`),
		answer('GET', `/${project}/nothing`),
		answer('GET', '/%'),
	]).toEqual([404, 404, 404, 400])
})
