/** `dragoman replay --backend`: recorded turns against a backend that runs. */
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test } from 'vitest'
import { json, nobody, says, upstream } from '../servers.ts'
import { folderWith, inside } from './run.ts'

/** Variables of the `.env` beside the configuration. */
const signingKey = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

/** A conversation id of canonical calls, by default the same for all. */
function turn(text: string, answer: string, more: object = {}): object {
	return {
		note: `a user says ${text}`,
		route: 'shop',
		call: { json: { version: 1, event: { kind: 'message', text, conversation: 'c1', attributes: {} } } },
		upstream: { response: { json: { messages: [{ type: 'text', text: answer }] } } },
		answer: {
			json: { messages: [{ type: 'text', text: answer }], attributes: { session: {}, user: {} } },
		},
		...more,
	}
}

/** Replays files against the backend at a URL. */
async function replay(url: string, files: { readonly [name: string]: unknown }, ...options: readonly string[]) {
	const { path, remove } = folderWith({
		...files,
		'gateway.json': {
			upstream: { url, sign: [{ env: 'SIGNING_KEY' }], headers: { authorization: { env: 'API_KEY' } } },
			routes: [{ name: 'shop', path: '/shop', platform: 'canonical', secrets: [{ env: 'NOT_SET' }] }],
		},
		'.env': `SIGNING_KEY=${signingKey}\nAPI_KEY=key-of-the-backend\n`,
	})
	onTestFinished(remove)
	const paths = Object.keys(files).map((name) => join(path, name))
	const run = await inside(['replay', ...paths, '--config', join(path, 'gateway.json'), ...options])
	return { ...run, out: run.out.replaceAll(`${path}/`, '') }
}

test('a turn is the same as long as the backend answers the same, and differs when that changes', async () => {
	let answer = 'Good day!'
	const backend = await upstream(() => json(says(answer)))
	const files = { 'a.json': turn('Hello', 'Good day!') }
	expect(await replay(backend.url, files, '--backend')).toMatchObject({ code: 0, err: '' })

	answer = 'Good evening!'
	const { code, out } = await replay(backend.url, files, '--backend')
	expect([code, out]).toEqual([
		1,
		`different  a.json: a user says Hello
  answer.json.messages[0].text
    - "Good day!"
    + "Good evening!"
`,
	])
	expect(backend.calls).toHaveLength(2)
	expect(await replay(backend.url, files)).toMatchObject({ code: 0, err: '' })
	expect(backend.calls).toHaveLength(2)
})

test('the backend is called as the gateway calls it, each time with a new id', async () => {
	const backend = await upstream(() => json(says('Good day!')))
	const files = { 'a.json': turn('Hello', 'Good day!', { turnId: 'turn_recorded' }) }
	for (const _ of [1, 2]) expect(await replay(backend.url, files, '--backend')).toMatchObject({ code: 0 })
	const ids = backend.calls.map(({ headers, body }) => {
		const named = Object.fromEntries(headers)
		expect(named).toMatchObject({ authorization: 'key-of-the-backend' })
		expect(new Webhook(signingKey).verify(body, named)).toMatchObject({ event: { text: 'Hello' } })
		return named['webhook-id']
	})
	expect(new Set([...ids, 'turn_recorded'])).toHaveLength(3)
})

test('a choice that one turn offers can be picked by the next of its conversation, in the order of the files', async () => {
	const offer = { type: 'choices', text: 'Which?', choices: [{ title: 'Red', value: 'colour-red' }] }
	const offered = { messages: [offer], attributes: { session: {}, user: {} } }
	const backend = await upstream(({ body }) => {
		const { event } = JSON.parse(body)
		return json(event.text === 'paint' ? offered : says(event.choice?.value ?? 'What?'))
	})
	const first = turn('paint', '', { upstream: { response: { json: offered } }, answer: { json: offered } })
	const second = turn('Red', 'colour-red')
	const files = { 'a.json': first, 'b.json': second }
	expect(await replay(backend.url, files, '--backend')).toMatchObject({ code: 0, err: '' })
	const request = { json: { event: { choice: { value: 'colour-red' } } } }
	const withRequest = {
		...files,
		'b.json': { ...second, upstream: { request, response: { json: says('colour-red') } } },
	}
	expect(await replay(backend.url, withRequest)).toMatchObject({ code: 0, err: '' })

	const { code, out } = await replay(backend.url, { 'b.json': second, 'a.json': first }, '--backend')
	expect([code, out]).toEqual([1, expect.stringContaining('+ "What?"')])
})

test('what changes by nature is not compared where the turn says so', async () => {
	let number = 0
	const backend = await upstream(() =>
		json({ ...says('Thank you'), attributes: { session: { order: ++number, paid: number } } }),
	)
	const ignore = ['answer.json.attributes.session.order']
	const { code, out } = await replay(backend.url, { 'a.json': turn('Buy', 'Thank you', { ignore }) }, '--backend')
	expect(code).toBe(1)
	expect(out).not.toContain('order')
	expect(out).toContain('answer.json.attributes.session.paid')
	const all = { ignore: ['answer.json.attributes'] }
	expect(await replay(backend.url, { 'a.json': turn('Buy', 'Thank you', all) }, '--backend')).toMatchObject({ code: 0 })
	const other = { ignore: ['answer.json.attr'] }
	expect(await replay(backend.url, { 'a.json': turn('Buy', 'Thank you', other) }, '--backend')).toMatchObject({
		code: 1,
	})
})

test('a backend that fails is named, because the platform gets only the failure reply', async () => {
	const files = { 'a.json': turn('Hello', 'Good day!') }
	const failing = await upstream(() => ({ status: 503, headers: [], body: '' }))
	const failed = await replay(failing.url, files, '--backend')
	expect([failed.code, failed.out]).toEqual([
		1,
		expect.stringContaining('upstream.response.status\n    - 200\n    + 503\n'),
	])
	const gone = await replay(await nobody(), files, '--backend')
	expect([gone.code, gone.out]).toEqual([1, expect.stringContaining('    + "upstream-unreachable"\n')])
})

test('a turn without a route has no backend to call', async () => {
	const alone = { ...turn('Hello', 'Good day!'), route: undefined, platform: 'canonical' }
	const { code, err } = await replay('http://127.0.0.1:9/', { 'a.json': alone }, '--backend')
	expect([code, err]).toEqual([78, expect.stringContaining('a recorded turn without a "route" has no backend')])
})
