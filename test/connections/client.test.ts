/** The client of ChatBot's API: what it sends and reads, what it refuses, and what becomes of every kind of failure. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
	type ChatBotClientOptions,
	ChatBotError,
	createChatBotClient,
	type NewWebhook,
} from '../../adapters/chatbot/management/index.ts'
import { nobody } from '../servers.ts'
import { account, collection, story } from './account.ts'

const token = 'developer-access-token'
const settings = {
	name: 'Orders',
	url: 'https://shop.test/chatbot',
	token: 'hush-hush-hush-hush',
	headers: { 'x-shop': 'secret-of-the-shop' },
	auth: { username: 'ada-the-user', password: 'lovelace-the-password' },
}
const creation: NewWebhook = { storyId: story, ...settings }
const secrets = [token, settings.token, settings.headers['x-shop'], settings.auth.username, settings.auth.password]

/** What it rejects with. */
async function failure(promise: Promise<unknown>): Promise<ChatBotError> {
	const thrown = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	)
	if (!(thrown instanceof ChatBotError)) throw new Error('no ChatBotError', { cause: thrown })
	const shown = `${thrown.stack}${JSON.stringify(thrown)}${String(thrown.cause)}`
	for (const secret of secrets) expect(shown).not.toContain(secret)
	return thrown
}

/** A client whose every request gets this answer. */
function answered(answer: () => Response | Promise<Response>, more: Partial<ChatBotClientOptions> = {}) {
	const requests: Request[] = []
	const fetch = async (...args: Parameters<typeof globalThis.fetch>) => {
		requests.push(new Request(...args))
		return answer()
	}
	return { requests, client: createChatBotClient({ token, fetch, ...more }) }
}

/** A client of a server on this machine. */
async function served(listener: RequestListener, more: Partial<ChatBotClientOptions> = {}) {
	const server = createServer(listener)
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => {
		server.closeAllConnections()
		return new Promise((closed) => void server.close(() => closed()))
	})
	return createChatBotClient({ token, api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...more })
}

test('creates, lists, shows, updates and deletes a webhook', async () => {
	const { fetch, requests } = account(token)
	const client = createChatBotClient({ token, fetch })
	const timestamp = '2026-01-02T03:04:05.000Z'
	const created = await client.create(creation)
	expect(created).toEqual({ id: expect.any(String), timestamp, status: { code: 201, type: 'created' } })
	const { id } = created
	const summary = { id, story: { id: story, name: 'Simulated story' }, name: 'Orders', url: settings.url }
	const times = { createdAt: timestamp, updatedAt: timestamp }
	expect(await client.list()).toEqual([{ ...summary, ...times }])
	expect(await client.show(id)).toEqual({ ...summary, ...times, ...settings })
	expect(await client.v1.list()).toEqual([{ id, name: 'Orders', url: settings.url }])
	expect(await client.v1.show(id)).toEqual({ id, ...settings })
	const outcome = { timestamp, status: { code: 200, type: 'success' } }
	expect(await client.update(id, { name: 'Other', url: 'https://shop.test/other' })).toEqual(outcome)
	expect(await client.show(id)).toEqual({ ...summary, ...times, name: 'Other', url: 'https://shop.test/other' })
	expect(await client.delete(id)).toEqual(outcome)
	expect(await client.list()).toEqual([])
	expect(requests).toEqual([
		`POST ${collection}`,
		`GET ${collection}`,
		`GET ${collection}/${id}`,
		'GET /webhooks',
		`GET /webhooks/${id}`,
		`PUT ${collection}/${id}`,
		`GET ${collection}/${id}`,
		`DELETE ${collection}/${id}`,
		`GET ${collection}`,
	])
})

test('requests are those of the documents', async () => {
	const { requests, client } = answered(() => Response.json({ id: 'a', status: { code: 201 } }, { status: 201 }))
	await client.create(creation)
	const [request] = requests
	expect(request?.url).toBe('https://api.chatbot.com/v2/integrations/webhook')
	expect(request?.headers.get('authorization')).toBe(`Bearer ${token}`)
	expect(request?.headers.get('content-type')).toBe('application/json')
	expect(request?.redirect).toBe('manual')
	expect(await request?.json()).toEqual(creation)
})

test('fetch is called as a function, which Workers insist on', async () => {
	const receivers: unknown[] = []
	const fetch = async function (this: unknown) {
		receivers.push(this)
		return Response.json([])
	}
	await createChatBotClient({ token, fetch }).list()
	expect(receivers).toEqual([undefined])
})

describe('reads the samples of the documents', () => {
	test('a list of version 2, with ids of 25 characters, and errors that are a text, false and null', async () => {
		const listed = (id: string, error: unknown) => ({
			...{ id, story: { id: '634fef70sd214d000073f5730', name: 'Foo' }, name: 'foo bar', url: 'https://a.test', error },
			...{ createdAt: '2021-06-09T07:35:00.788Z', updatedAt: '2020-04-1T00:00:300.000Z' },
		})
		const errors = ['Request failed with status code 404', false, null, '', {}, { date: 7, message: 'x' }]
		const list = errors.map((error, i) => listed(`611f9ad1fe24s3d0007d14ad${i}`, error))
		const { client } = answered(() => Response.json(list))
		const read = await client.list()
		expect(read[0]).toEqual({
			...listed('611f9ad1fe24s3d0007d14ad0', undefined),
			error: { message: 'Request failed with status code 404' },
		})
		expect(read.map(({ error }) => error?.message)).toEqual([list[0]?.error, ...Array(4).fill(undefined), 'x'])
	})

	test('what it lists, it can show', async () => {
		const { requests, client } = answered(() => Response.json({ id: '611f9ad1fe24s3d0007d14ad4', unknown: [1] }))
		expect(await client.show('611f9ad1fe24s3d0007d14ad4')).toEqual({
			id: '611f9ad1fe24s3d0007d14ad4',
			name: '',
			url: '',
		})
		expect(requests[0]?.url).toBe(`https://api.chatbot.com${collection}/611f9ad1fe24s3d0007d14ad4`)
	})

	test.each([
		[{ headers: [], auth: { username: '', password: '' }, token: '', error: '' }, {}],
		[{ headers: null, auth: null, token: null, story: null }, {}],
		[{ headers: {} }, {}],
		[{ headers: [{ name: 'x-a', value: 'b' }] }, { headers: { 'x-a': 'b' } }],
		[{ headers: [{ key: 'x-a', value: 'b' }] }, { headers: { 'x-a': 'b' } }],
		[{ headers: [{ 'x-a': 'b' }, { 'x-c': 7 }, 'x-d', null] }, { headers: { 'x-a': 'b', 'x-c': '7' } }],
		[{ auth: { username: 'a' } }, { auth: { username: 'a', password: '' } }],
		[
			{ error: { date: '2017-12-04T15:06:12.053Z', message: 'timeout of 10000ms exceeded' } },
			{ error: { at: '2017-12-04T15:06:12.053Z', message: 'timeout of 10000ms exceeded' } },
		],
	])('a webhook of version 1: %j', async (wire, settings) => {
		const { client } = answered(() => Response.json({ id: 5, name: 'a', url: 'b', ...wire }))
		expect(await client.v1.show('5a21a9e21ec94a0007f9ac19')).toEqual({ id: '5', name: 'a', url: 'b', ...settings })
	})

	test.each([null, '{}', '{"timestamp":"2020-04-1T00:00:300.000Z","status":{"code":200,"type":"success"}}'])(
		'a change whose answer is %j',
		async (body) => {
			const { client } = answered(() => new Response(body))
			expect(await client.delete(story)).toEqual(JSON.parse(body ?? '{}'))
		},
	)
})

describe('sends nothing that is not as documented', () => {
	const x = (length: number) => 'x'.repeat(length)
	const eleven = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x-${i}`, 'v']))
	test.each<[field: string, wrong: object]>([
		['storyId', { storyId: x(23) }],
		['storyId', { storyId: undefined }],
		['name', { name: '' }],
		['name', { name: x(129) }],
		['url', { url: `https://shop.test/${x(1007)}` }],
		['url', { url: 'shop.test' }],
		['url', { url: 'ftp://shop.test' }],
		['token', { token: '' }],
		['token', { token: x(1025) }],
		['headers', { headers: {} }],
		['headers', { headers: eleven }],
		['headers', { headers: JSON.parse('{"x-a":"b","__proto__":"c"}') }],
		['headers', { headers: JSON.parse('{"constructor":"c"}') }],
		['headers["x a"]', { headers: { 'x a': 'b' } }],
		['headers.x-a', { headers: { 'x-a': 'b\r\nx-c: d' } }],
		['auth.username', { auth: { username: '', password: 'p' } }],
		['auth.password', { auth: { username: 'u', password: x(1025) } }],
		['auth.password', { auth: { username: 'u' } }],
		['story', { story: 'a' }],
	])('create with a wrong %s: %#', async (field, wrong) => {
		const { requests, client } = answered(() => Response.json({}))
		const thrown = await failure(client.create({ ...creation, ...wrong }))
		expect(thrown).toMatchObject({ code: 'invalid-input', field })
		expect(requests).toEqual([])
	})

	test.each(['', '..', 'a/b', 'a?b', 'é', x(65)])('the id %j', async (id) => {
		const { requests, client } = answered(() => Response.json({}))
		const { update, show, v1 } = client
		for (const make of [() => show(id), () => client.delete(id), () => update(id, settings), () => v1.show(id)]) {
			expect(await failure(make())).toMatchObject({ code: 'invalid-input', field: 'id' })
		}
		expect(requests).toEqual([])
	})

	test.each([
		['token', { token: '' }],
		['token', { token: 'a b' }],
		['token', { token: 'a\nb' }],
		['api', { api: 'api.chatbot.com' }],
		['api', { api: 'http://api.chatbot.com' }],
		['api', { api: 'https://user:secret-of-mine@api.chatbot.com' }],
		['api', { api: 'https://api.chatbot.com/?a=b' }],
	])('with a %s of %j', (field, wrong) => {
		const create = () => createChatBotClient({ token, ...wrong })
		expect(create).toThrow(expect.objectContaining({ code: 'invalid-input', field }))
		expect(create).not.toThrow(/secret-of-mine/)
	})

	test.each(['https://chatbot.test/base/', 'http://localhost:8790', 'http://[::1]:1', 'http://127.0.0.1'])(
		'but takes the API at %s',
		async (api) => {
			const { requests, client } = answered(() => Response.json([]), { api })
			await client.list()
			expect(requests[0]?.url).toBe(`${api.replace(/\/$/, '')}${collection}`)
		},
	)
})

describe('failures', () => {
	test.each([
		[400, 'refused'],
		[401, 'unauthorized'],
		[403, 'unauthorized'],
		[404, 'not-found'],
		[409, 'refused'],
		[413, 'refused'],
		[422, 'refused'],
		[500, 'failed'],
		[503, 'failed'],
	])('status %i is %s, once', async (status, code) => {
		const body = { timestamp: 'x', status: { code: status, type: 'some type', message: 'Some words' } }
		const { requests, client } = answered(() => Response.json(body, { status }))
		const thrown = await failure(client.create(creation))
		expect(thrown).toMatchObject({ code, status, said: 'Some words; some type' })
		expect(thrown.message).toMatch(/ChatBot says: Some words; some type$/)
		expect(requests).toHaveLength(1)
	})

	test.each([
		['', undefined],
		['<html><body>Bad gateway</body></html>', undefined],
		['upstream\u001b[31m connect\n error', 'upstream [31m connect error'],
		['{"error":"nope"}', 'nope'],
		['{"error":{"message":"nope"}}', 'nope'],
		['{"errors":[{"message":"one"},{"message":"two"}]}', 'one; two'],
		['{"status":{"code":400,"type":"bad request","details":["url is required"]}}', 'url is required; bad request'],
		['{"status":400,"other":"x"}', undefined],
		['["nope"]', 'nope'],
		['"nope"', 'nope'],
		['7', undefined],
		[`{"message":"${'y'.repeat(5000)}"}`, 'y'.repeat(300)],
		['{"__proto__":{"message":"x"}}', '{"__proto__":{"message":"x"}}'],
		[`${'['.repeat(60_000)}`, '['.repeat(300)],
		['z'.repeat(100_000), undefined],
	])('the words of an error’s body, in one line: %#', async (body, said) => {
		const { client } = answered(() => new Response(body, { status: 400 }))
		expect((await failure(client.list())).said).toBe(said)
	})

	test('an error that repeats what was sent is shown without it', async () => {
		const { client } = answered(
			() => new Response(`no: ${secrets.join(' ')} a${encodeURIComponent('b c')}`, { status: 400 }),
		)
		const { said } = await failure(client.create({ ...creation, headers: { 'x-shop': settings.headers['x-shop'] } }))
		expect(said).toBe(`no: ${Array(5).fill('[hidden]').join(' ')} ab%20c`)
	})

	test.each([301, 302, 307, 308])('status %i is not followed', async (status) => {
		const seen: string[] = []
		const client = await served((request, response) => {
			seen.push(`${request.url}`)
			response.writeHead(status, { location: '/elsewhere' }).end('moved')
		})
		expect(await failure(client.list())).toMatchObject({ code: 'redirected', status })
		expect(seen).toEqual([collection])
	})

	test.each([
		['{', ''],
		['not json', ''],
		['\ufffd\ufffd', ''],
		['', ''],
		['{}', ''],
		['[7]', '[0]'],
		['[{"id":"a"},{"name":"b"}]', '[1].id'],
		['[{"id":""}]', '[0].id'],
		['[{"id":"a","name":{}}]', '[0].name'],
	])('a list that is %s is not as documented', async (body, field) => {
		const { client } = answered(() => new Response(body))
		expect(await failure(client.list())).toMatchObject({ code: 'answer-invalid', field })
	})

	test('bytes that are no UTF-8 are not as documented', async () => {
		const { client } = answered(() => new Response(new Uint8Array([0x5b, 0xff, 0x5d])))
		expect(await failure(client.list())).toMatchObject({ code: 'answer-invalid' })
	})

	test('an answer without end is cut off', async () => {
		let sent = 0
		const client = await served((_request, response) => {
			const chunk = Buffer.alloc(65_536, ' ')
			const more = () => {
				while (!response.destroyed) {
					sent += chunk.length
					if (!response.write(chunk)) return void response.once('drain', more)
				}
			}
			more()
		})
		expect(await failure(client.list())).toMatchObject({ code: 'answer-too-large', status: 200 })
		expect(sent).toBeLessThan(32 * 1024 * 1024)
	})

	test('an answer of too many values is too large', async () => {
		const { client } = answered(() => new Response(`[${'7,'.repeat(300_000)}7]`))
		expect(await failure(client.list())).toMatchObject({ code: 'answer-too-large' })
	})

	test('an API that is down is unreachable, and one that breaks off, too', async () => {
		const client = await served((_request, response) => response.destroy())
		expect(await failure(client.create(creation))).toMatchObject({ code: 'unreachable' })
		const half = await served((_request, response) => {
			response.writeHead(200, { 'content-length': '100' }).write('[', () => response.destroy())
		})
		expect(await failure(half.list())).toMatchObject({ code: 'unreachable' })
		const down = createChatBotClient({ token, api: await nobody() })
		const refused = await failure(down.list())
		expect(refused).toMatchObject({ code: 'unreachable', reason: 'ECONNREFUSED' })
		expect(refused.message).toMatch(/\(ECONNREFUSED\)$/)
	})

	test.each([
		['never answers', () => {}],
		['stops within its answer', (_: unknown, response) => response.writeHead(200).write('[')],
	] as [string, RequestListener][])('an API that %s is a timeout', async (_what, listener) => {
		const client = await served(listener, { timeout: 50 })
		expect(await failure(client.list())).toMatchObject({ code: 'timeout' })
	})

	test('the caller can end a call, before and while it is under way', async () => {
		const client = await served(() => {})
		expect(await failure(client.list({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' })
		expect(await failure(client.show(story, { signal: AbortSignal.timeout(20) }))).toMatchObject({ code: 'aborted' })
	})
})

describe('after 429', () => {
	const refusal = (headers: { [name: string]: string } = {}) => new Response('slow down', { status: 429, headers })

	/** A client that is refused this often, with these headers. */
	function refused(times: number, headers: { [name: string]: string }, more: Partial<ChatBotClientOptions> = {}) {
		let left = times
		return answered(() => (left-- > 0 ? refusal(headers) : Response.json([])), more)
	}

	test.concurrent.each([
		[{ 'retry-after': '0' }, 0],
		[{ 'retry-after': '1' }, 990],
		[{ 'retry-after': 'Fri, 02 Jan 2026 03:04:06 GMT', date: 'Fri, 02 Jan 2026 03:04:05 GMT' }, 990],
		[{ 'retry-after': 'Fri, 02 Jan 2026 03:04:01 GMT', date: 'Fri, 02 Jan 2026 03:04:05 GMT' }, 0],
		[{ 'retry-after': 'soon' }, 990],
		[{}, 990],
	])('it asks again, not before Retry-After: %j', async (headers, least) => {
		const { requests, client } = refused(1, headers)
		const from = performance.now()
		expect(await client.list()).toEqual([])
		expect(performance.now() - from).toBeGreaterThanOrEqual(least)
		expect(requests).toHaveLength(2)
	})

	test('a creation is sent again as it was', async () => {
		let left = 1
		const { requests, client } = answered(() =>
			left-- > 0 ? refusal({ 'retry-after': '0' }) : Response.json({ id: 'a' }),
		)
		await client.create(creation)
		expect(await Promise.all(requests.map((request) => request.json()))).toEqual([creation, creation])
	})

	test('it gives up after five attempts', async () => {
		const { requests, client } = refused(9, { 'retry-after': '0' })
		expect(await failure(client.list())).toMatchObject({ code: 'rate-limited', status: 429, said: 'slow down' })
		expect(requests).toHaveLength(5)
	})

	test.each(['90', '3600', '999999999'])('it does not wait beyond its limit: Retry-After: %s', async (seconds) => {
		const { requests, client } = refused(1, { 'retry-after': seconds })
		expect(await failure(client.list())).toMatchObject({ code: 'rate-limited', retryAfter: Number(seconds) })
		expect(requests).toHaveLength(1)
	})

	test('the limit is the caller’s, and the caller can end the pause', async () => {
		const { requests, client } = refused(1, { 'retry-after': '1' }, { patience: 900 })
		expect(await failure(client.list())).toMatchObject({ code: 'rate-limited', retryAfter: 1 })
		expect(requests).toHaveLength(1)
		const { client: patient } = refused(1, { 'retry-after': '80' })
		expect(await failure(patient.list({ signal: AbortSignal.timeout(20) }))).toMatchObject({ code: 'aborted' })
	})
})

describe('pages', () => {
	const page = (id: string, link?: string) => Response.json([{ id }], { headers: link === undefined ? {} : { link } })

	test('are followed where the answer names the next one', async () => {
		const pages = [
			page('a', `<https://api.chatbot.com${collection}?after=1>; rel="next", <https://other.test>; rel="last"`),
			page('b', `</first>; rel=prev, <${collection}?after=2>; title="x"; rel=next`),
			page('c', '</x>; rel="nextish"'),
		]
		const { requests, client } = answered(() => pages.shift() ?? page('no'))
		const read: number[] = []
		const list = await client.list({ onProgress: (count) => read.push(count) })
		expect(list.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
		expect(read).toEqual([1, 2, 3])
		expect(requests.map(({ url }) => new URL(url).search)).toEqual(['', '?after=1', '?after=2'])
	})

	test('of another server do not get the token', async () => {
		const { requests, client } = answered(() => page('a', '<https://evil.test/>; rel="next"'))
		expect(await failure(client.list())).toMatchObject({ code: 'answer-invalid', field: 'link' })
		expect(requests).toHaveLength(1)
	})

	test('end, even where each names itself', async () => {
		const { requests, client } = answered(() => page('a', `<${collection}>; rel="next"`))
		expect(await failure(client.list())).toMatchObject({ code: 'answer-too-large' })
		expect(requests).toHaveLength(1000)
	})
})
