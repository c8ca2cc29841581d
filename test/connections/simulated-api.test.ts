/** The simulated Webhooks API of ChatBot: what the documents promise, what they refuse, and its place on the command line. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { simulatedApi } from '../../adapters/chatbot/management/simulated.ts'
import type { ApiAnswer, ApiCall, WireResponse } from '../../src/format/index.ts'

const story = '634fef70c56fd000073f5730'
const creation = { storyId: story, name: 'Orders', url: 'https://shop.test/chatbot', token: 'hush-hush-hush-hush' }
const collection = '/v2/integrations/webhook'

function account(token?: string) {
	let now = Date.parse('2026-01-02T03:04:05.000Z')
	let ids = 0
	const said: string[] = []
	const api = simulatedApi({
		now: () => now,
		newId: () => (++ids).toString(16).padStart(8, '0').padEnd(32, '0'),
		...(token !== undefined && { token }),
	})
	const receive = (method: string, path: string, body?: unknown, more: Partial<ApiCall> = {}) => {
		const headers = [['authorization', 'Bearer any']] as const
		return api.answer({ method, path, headers, body: body === undefined ? '' : JSON.stringify(body), ...more })
	}
	const read = ({ response: { status, headers, body }, note }: ApiAnswer) => {
		if (note !== undefined) said.push(note)
		return { status, headers, json: JSON.parse(body) }
	}
	/** A call that needs no call back. */
	const call = (...args: Parameters<typeof receive>) => {
		const answer = receive(...args)
		if ('settle' in answer) throw new Error('a call back')
		return read(answer)
	}
	const create = (outcome: WireResponse | 'timeout' | 'unreachable' | 'echo' = 'echo', body: object = creation) => {
		const answer = receive('POST', collection, body)
		if (!('settle' in answer)) throw new Error('no call back')
		const challenge = answer.call.query.find(([name]) => name === 'challenge')?.[1] ?? ''
		const settled = answer.settle(outcome === 'echo' ? { status: 200, headers: [], body: challenge } : outcome)
		return { verification: answer, ...read(settled) }
	}
	const pass = (milliseconds: number): void => {
		now += milliseconds
	}
	return { call, create, said, pass }
}

test('a webhook is created, listed, shown, updated and deleted', () => {
	const { call, create, said, pass } = account()
	const { verification, status, json } = create()
	expect(verification).toMatchObject({ url: creation.url, deadline: 10_000, call: { method: 'GET' } })
	expect(verification.call.query).toEqual([
		['challenge', expect.any(String)],
		['token', creation.token],
	])
	expect(status).toBe(201)
	expect(json).toEqual({
		id: expect.stringMatching(/^[\da-f]{24}$/),
		timestamp: '2026-01-02T03:04:05.000Z',
		status: { code: 201, type: 'created' },
	})

	const one = `${collection}/${json.id}`
	const summary = { id: json.id, story: { id: story }, name: 'Orders', url: creation.url }
	const created = '2026-01-02T03:04:05.000Z'
	expect(call('GET', collection).json).toMatchObject([{ ...summary, error: false, createdAt: created }])
	expect(call('GET', one).json).toMatchObject({ ...summary, token: creation.token, error: null, updatedAt: created })
	expect(call('GET', '/webhooks').json).toEqual([{ id: json.id, name: 'Orders', url: creation.url, error: '' }])
	expect(call('GET', `/webhooks/${json.id}`).json).toMatchObject({ token: creation.token, headers: [], error: null })

	pass(1000)
	const auth = { username: 'ada', password: 'lovelace' }
	const changed = { name: 'Orders 2', url: 'https://shop.test/other', headers: { 'x-a': 'b' }, auth }
	expect(call('PUT', one, changed)).toMatchObject({ status: 200, json: { status: { code: 200, type: 'success' } } })
	expect(call('GET', one).json).toMatchObject({ ...changed, createdAt: created, updatedAt: '2026-01-02T03:04:06.000Z' })
	expect(call('GET', one).json.token).toBeUndefined()
	expect(call('GET', `/webhooks/${json.id}`).json).toMatchObject({ headers: [{ name: 'x-a', value: 'b' }], auth })

	expect(call('DELETE', one)).toMatchObject({ status: 200, json: { status: { code: 200, type: 'success' } } })
	expect(call('GET', collection).json).toEqual([])
	expect(said).toHaveLength(3)
})

test.each([
	['timeout', 'timeout of 10000ms exceeded'],
	['unreachable', 'connect ECONNREFUSED'],
	[{ status: 404, headers: [], body: '' }, 'Request failed with status code 404'],
	[{ status: 301, headers: [], body: '' }, 'Request failed with status code 301'],
	[{ status: 200, headers: [], body: 'Hello' }, 'the answer is not the challenge'],
	[{ status: 204, headers: [], body: '' }, 'the answer is not the challenge'],
] as const)('a webhook that does not answer its verification is not created: %j', (outcome, words) => {
	const { call, create } = account()
	const { status, json } = create(outcome)
	expect(status).toBe(400)
	expect(json.status).toEqual({
		code: 400,
		type: 'bad request',
		message: `Webhook verification failed: ${words}`,
	})
	expect(call('GET', collection).json).toEqual([])
})

const longest = {
	name: 'n'.repeat(128),
	url: `https://shop.test/${'u'.repeat(1006)}`,
	token: 't'.repeat(1024),
	headers: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'v'])),
	auth: { username: 'u'.repeat(1024), password: 'p'.repeat(1024) },
}

test('every field may have its longest documented size', () => {
	const { call, create } = account()
	const { json } = create('echo', { storyId: story, ...longest })
	expect(call('GET', `${collection}/${json.id}`).json).toMatchObject(longest)
})

test.each([
	['storyId', { storyId: undefined }],
	['storyId', { storyId: `${story}0` }],
	['name', { name: '' }],
	['name', { name: `${longest.name}n` }],
	['name', { name: 7 }],
	['url', { url: undefined }],
	['url', { url: 'shop.test' }],
	['url', { url: `${longest.url}u` }],
	['token', { token: '' }],
	['token', { token: `${longest.token}t` }],
	['headers', { headers: {} }],
	['headers', { headers: { ...longest.headers, 'x-10': 'v' } }],
	['headers.x-a', { headers: { 'x-a': 7 } }],
	['auth.password', { auth: { username: 'u' } }],
	['auth.username', { auth: { username: '', password: 'p' } }],
])('a creation whose %s is not as documented is refused: %#', (field, wrong) => {
	const { call } = account()
	const { status, json } = call('POST', collection, { ...creation, ...wrong })
	expect(status).toBe(400)
	expect(json.status.message).toContain(`"${field}"`)
})

describe('it refuses', () => {
	test('callers without a token, and with another one', () => {
		for (const headers of [[], [['authorization', 'Basic any']], [['authorization', 'Bearer ']]] as const) {
			expect(account().call('GET', collection, undefined, { headers }).status).toBe(401)
		}
		expect(account('right').call('GET', collection).json.status).toMatchObject({ code: 401, type: 'unauthorized' })
		const headers = [['authorization', 'Bearer right']] as const
		expect(account('right').call('GET', collection, undefined, { headers }).status).toBe(200)
	})

	test('ids that are unknown or of another length', () => {
		const { call } = account()
		for (const method of ['GET', 'PUT', 'DELETE']) {
			expect(call(method, `${collection}/${story}`, creation).status).toBe(404)
			expect(call(method, `${collection}/${story}0`, creation).status).toBe(400)
		}
		expect(call('GET', `/webhooks/${story}`).status).toBe(404)
	})

	test('paths and methods that are not documented', () => {
		const { call } = account()
		for (const path of ['/', '/v2/stories', `${collection}/`, '/v2/integrations/webhook/a/b']) {
			expect([400, 404]).toContain(call('GET', path).status)
		}
		expect(call('PATCH', collection).status).toBe(404)
		expect(call('POST', '/webhooks', creation).status).toBe(404)
	})

	test.each(['', '{', '[]', '7', 'null'])('a body that is no object: %j', (body) => {
		expect(account().call('POST', collection, undefined, { body }).status).toBe(400)
	})

	test('more than 60 calls a minute, and says after how many seconds to come again', () => {
		const { call, pass } = account()
		for (let i = 0; i < 60; i++) expect(call('GET', collection).status).toBe(200)
		pass(50_500)
		const refused = call('GET', collection)
		expect(refused).toMatchObject({ status: 429, json: { status: { code: 429 } } })
		expect(refused.headers).toContainEqual(['retry-after', '10'])
		pass(9500)
		expect(call('GET', collection).status).toBe(200)
	})
})

const simulator = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))

/** The output of the simulator until a pattern is in it; the process ends with the test. */
async function run(args: readonly string[], pattern: RegExp): Promise<RegExpExecArray> {
	const child = spawn(process.execPath, [simulator, 'simulate', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
	const ended = new Promise((done) => child.once('close', done))
	onTestFinished(async () => {
		child.kill()
		await ended
	})
	return new Promise((found, failed) => {
		let said = ''
		const hear = (chunk: Buffer) => {
			said += chunk
			const match = pattern.exec(said)
			if (match) found(match)
		}
		child.stdout.on('data', hear)
		child.stderr.on('data', hear)
		ended.then(() => failed(new Error(said)))
	})
}

test('the command line serves it', async () => {
	const [, url] = await run(['chatbot-v2', '--api', '0', '--secret', 'right'], /listens on (http:\S+)/)
	const get = (token: string) => fetch(`${url}${collection}`, { headers: { authorization: `Bearer ${token}` } })
	const answer = await get('right')
	expect(answer.headers.get('content-type')).toBe('application/json')
	expect(await answer.json()).toEqual([])
	expect((await get('wrong')).status).toBe(401)
	const huge = { method: 'POST', headers: { authorization: 'Bearer right' }, body: 'x'.repeat(1_100_000) }
	expect((await fetch(`${url}${collection}`, huge)).status).toBe(413)
	const mistakes: [args: string[], words: RegExp][] = [
		[['chatbot-v2', '--api', new URL(`${url}`).port], /is in use/],
		[['canonical', '--api', '0'], /canonical has no API/],
	]
	await Promise.all(mistakes.map(([args, words]) => run(args, words)))
})
