/** Talking to the gateway as a user of a platform, as the playground's page does it. */
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { serve } from '../src/node/serve.ts'
import { sendCall } from '../src/node/simulate/send-call.ts'
import { createLive, createPlayground, createPushes } from '../src/playground/index.ts'
import type { TalkAnswer, TalkRequest } from '../src/playground/talk.ts'
import { json, says, testScope, upstream } from './servers.ts'

const host = '127.0.0.1:8780'

async function playgroundOf(url: string, guarded: object = {}) {
	const routes = [{ name: 'in', path: '/in', platform: 'canonical', ...guarded }]
	const gateway = await serve({
		config: { upstream: { url }, routes },
		adapters: [canonical],
		env: { SECRET: 'a-secret-of-the-route' },
		log() {},
	})
	testScope.after(() => gateway.close())
	const app = createPlayground({
		assets: new Map(),
		contract: new Map(),
		contractOf: async () => ({}),
		hosts: [host],
		password: undefined,
		live: createLive(() => 0),
		pushes: createPushes(new Map()),
		gateway: { url: gateway.url, routes: gateway.routes, runtime: { ...createRuntime(() => {}), send: sendCall } },
	})
	const post = (body: unknown, headers: { [name: string]: string } = {}) =>
		app.request(`http://${host}/api/talk`, {
			method: 'POST',
			headers: { host, 'content-type': 'application/json', ...headers },
			body: JSON.stringify(body),
		})
	return {
		app,
		post,
		async talk(request: Partial<TalkRequest>): Promise<TalkAnswer> {
			const answer = await post({ route: 'in', platform: 'canonical', ...request })
			expect(answer.status).toBe(200)
			return await answer.json()
		},
	}
}

test('what a user says reaches the upstream, and the reply the user; a conversation goes on', async () => {
	const backend = await upstream(() => json(says('Good day')))
	const { talk } = await playgroundOf(backend.url, { secrets: [{ env: 'SECRET' }] })
	const first = await talk({ action: { text: 'Hi' } })
	expect(first.reply?.messages).toEqual([{ type: 'text', text: 'Good day' }])
	expect(first.conversation).toBeTypeOf('string')
	const { conversation = '', user = '' } = first
	await talk({ action: { choice: { value: 'red', label: 'Red' } }, conversation, user })
	const events = backend.calls.map(({ body }) => JSON.parse(body).event)
	expect(events).toMatchObject([
		{ kind: 'message', text: 'Hi', conversation },
		{ kind: 'choice', choice: { value: 'red', label: 'Red' }, conversation },
	])
	expect(JSON.stringify(first)).not.toContain('a-secret-of-the-route')
})

test('what the platform would refuse is explained', async () => {
	const { talk } = await playgroundOf((await upstream(() => json({ massages: [] }))).url)
	const { refusal, reply } = await talk({ action: { text: 'Hi' } })
	expect(reply).toBeUndefined()
	expect(refusal?.why).toContain('massages')
})

test('a route that is gone, and what no page sends, are refused', async () => {
	const { post } = await playgroundOf((await upstream()).url)
	expect((await post({ route: 'gone', platform: 'canonical', action: { text: 'Hi' } })).status).toBe(404)
	for (const body of [null, {}, { route: 'in', platform: 'canonical', action: { text: '' } }]) {
		expect((await post(body)).status).toBe(400)
	}
	const large = { route: 'in', platform: 'canonical', action: { text: 'x'.repeat(300_000) } }
	expect((await post(large)).status).toBe(413)
})

test('another page cannot talk', async () => {
	const backend = await upstream()
	const { post } = await playgroundOf(backend.url)
	const request = { route: 'in', platform: 'canonical', action: { text: 'Hi' } }
	expect((await post(request, { origin: 'https://elsewhere.example' })).status).toBe(403)
	expect((await post(request, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
	// A form of another page can only send what is no JSON by its type.
	expect((await post(request, { 'content-type': 'text/plain' })).status).toBe(400)
	expect(backend.calls).toEqual([])
})
