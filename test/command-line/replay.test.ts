/** `dragoman replay`: recorded turns as a regression test. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { dragoman } from '../harness/command.ts'
import { folderWith, inside } from './run.ts'

const recorded = {
	note: 'a greeting becomes a text of the platform',
	platform: 'chatbot-v2',
	options: { text: 'question' },
	call: { json: { chatId: 'c1', messageId: 'm1', userId: 'u1', attributes: { question: 'Hello' } } },
	upstream: {
		request: { json: { event: { kind: 'message', text: 'Hello' } } },
		response: { json: { messages: [{ type: 'text', text: 'Good day!' }] } },
	},
	answer: { json: { responses: [{ type: 'text', delay: 100, message: 'Good day!' }] } },
}

function folder(files: { readonly [name: string]: unknown }): string {
	const { path, remove } = folderWith(files)
	onTestFinished(remove)
	return path
}

test('what is answered as before is the same; what is not differs readably, and fails', async () => {
	const path = folder({
		'a.json': recorded,
		'b.json': {
			...recorded,
			upstream: { ...recorded.upstream, request: { json: { event: { text: 'Hullo' } } } },
			answer: { json: { responses: [{ type: 'text', delay: 100, message: 'Good evening!' }], attributes: {} } },
		},
	})
	const { code, out } = await dragoman(['replay', 'a.json', 'b.json'], { cwd: path })
	expect([code, out]).toEqual([
		1,
		`same       a.json: a greeting becomes a text of the platform
different  b.json: a greeting becomes a text of the platform
  upstream.request.json.event.text
    - "Hullo"
    + "Hello"
  answer.json.responses[0].message
    - "Good evening!"
    + "Good day!"
  answer.json.attributes
    - {}
    + (nothing)
`,
	])
	const json = await inside(['replay', join(path, 'b.json'), '--json'])
	expect(JSON.parse(json.out)[0].differences).toHaveLength(3)
})

test('a route of the configuration needs neither its secrets nor its backend', async () => {
	const { platform, options, ...turn } = recorded
	const path = folder({
		'gateway.json': {
			upstream: { url: 'http://backend.invalid/', sign: [{ env: 'KEY' }] },
			routes: [
				{
					name: 'shop',
					path: '/shop',
					platform: ['chatbot-v1', platform],
					options: { [platform]: options },
					secrets: [{ env: 'TOKEN' }],
				},
			],
		},
		'a.json': { ...turn, route: 'shop' },
		'b.json': { ...turn, route: 'other' },
	})
	const config = ['--config', join(path, 'gateway.json')]
	expect(await inside(['replay', join(path, 'a.json'), ...config])).toMatchObject({ code: 0, err: '' })
	const { code, err } = await inside(['replay', join(path, 'b.json'), ...config])
	expect([code, err]).toEqual([78, expect.stringContaining('there is no route "other"')])
})

test('what is pushed is compared, call by call, in order, and is not sent', async () => {
	const options = { dialect: 'external', proof: 'path', api: 'https://api.example/v3' }
	const at = '/p1/requests/support-group-p1-c1'
	const pushed = {
		note: 'an order is a matter of the tea room',
		call: {
			json: {
				payload: {
					...{ _id: 'm1', sender: 'u1', type: 'text', text: 'My order?', id_project: 'p1' },
					recipient: 'support-group-p1-c1',
				},
				hook: { _id: 'b1' },
				token: 'any',
			},
		},
		upstream: {
			response: {
				json: {
					messages: ['One moment.', 'Ada is coming.'].map((text) => ({ type: 'text', text })),
					control: { handover: { to: 'department', name: 'Tea' }, close: true },
				},
			},
		},
		answer: {},
		pushes: [
			{ path: `${at}/messages`, json: { type: 'text', text: 'One moment.' } },
			{ path: `${at}/messages`, json: { type: 'text', text: 'Ada is coming.' } },
			{
				...{ method: 'PUT', path: `${at}/departments`, lookup: { path: '/p1/departments', name: 'Tea' } },
				json: { nobot: true },
			},
			{ method: 'PUT', path: `${at}/close`, headers: [['content-type', 'application/json']], json: {} },
		],
	}
	const [one, two, department, close] = pushed.pushes
	const route = { name: 'chat', path: '/chat', platform: 'pingstreams', options }
	const config = { upstream: { url: 'http://backend.invalid/' }, routes: [route], outbox: { file: 'outbox.db' } }
	const { outbox: _, ...withoutOutbox } = config
	const onPlatform = { ...pushed, platform: 'pingstreams', options }
	const path = folder({
		'gateway.json': config,
		'without-outbox.json': withoutOutbox,
		'platform.json': onPlatform,
		'route.json': { ...pushed, route: 'chat' },
		'unsaid.json': { ...onPlatform, pushes: undefined },
		'swapped.json': { ...onPlatform, pushes: [two, one, { ...department, path: '/other' }] },
		'refused.json': { ...onPlatform, upstream: { response: { status: 500 } } },
	})
	const replayed = async (file: string, configuration = 'gateway.json') => {
		const { out } = await inside(['replay', join(path, file), '--config', join(path, configuration), '--json'])
		return JSON.parse(out)[0].differences
	}
	expect(await replayed('platform.json')).toEqual([])
	expect(await replayed('route.json')).toEqual([])
	expect(await replayed('unsaid.json')).toEqual([])
	const { headers: _headers, ...lastCall } = close ?? {}
	expect(await replayed('swapped.json')).toEqual([
		{ path: 'pushes[0].json.text', recorded: 'Ada is coming.', now: 'One moment.' },
		{ path: 'pushes[1].json.text', recorded: 'One moment.', now: 'Ada is coming.' },
		{ path: 'pushes[2].path', recorded: '/other', now: `${at}/departments` },
		{ path: 'pushes[3]', now: lastCall },
	])
	// Nothing is pushed without an outbox, or while the backend fails.
	const none = pushed.pushes.map((recorded, i) => ({ path: `pushes[${i}]`, recorded }))
	expect(await replayed('route.json', 'without-outbox.json')).toEqual(none)
	expect(await replayed('refused.json')).toEqual(none)
})

test('a file that is no recorded turn is explained', async () => {
	const path = folder({ 'a.json': { ...recorded, note: undefined, anser: {} } })
	const { code, err } = await inside(['replay', join(path, 'a.json')])
	expect(code).toBe(2)
	expect(err).toContain('note: must be a string')
	expect(err).toContain('anser: no such field; did you mean "answer"?')
})

test('its schema is published', async () => {
	const { out } = await dragoman(['schema', 'recorded-turn'])
	const file = new URL('../../schema/recorded-turn.schema.json', import.meta.url)
	expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(file, 'utf8')))
})

test('the schema of recorded turns describes every member, for editors', () => {
	const schema: unknown = JSON.parse(readFileSync('schema/recorded-turn.schema.json', 'utf8'))
	expect(undescribed(schema, '')).toEqual([])
})

/** Paths of the members that have no description. */
function undescribed(schema: unknown, at: string): string[] {
	const { properties = {} } = v.parse(
		v.looseObject({ properties: v.optional(v.record(v.string(), v.unknown())) }),
		schema,
	)
	return Object.entries(properties).flatMap(([name, member]) => {
		const path = `${at}.${name}`
		const words = v.is(v.looseObject({ description: v.string() }), member) ? [] : [path]
		return [...words, ...undescribed(member, path)]
	})
}
