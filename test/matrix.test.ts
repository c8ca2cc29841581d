/** Every platform against every upstream format, through a real gateway and over HTTP. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { fitReply } from '../src/fit/index.ts'
import type { Adapter } from '../src/format/index.ts'
import type { Button, CanonicalEvent, CanonicalReply, Choice } from '../src/model/index.ts'
import { createRuntime, type NodeRuntime } from '../src/node/node-runtime.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import { simulate, type UserAction } from '../src/simulator/index.ts'

const formats = adapters.map(({ name, examples: [options], create }) => ({ name, options, adapter: create(options) }))
const platforms = formats.filter(({ adapter }) => adapter.reply(plain('')) !== undefined)
const oneWay = formats.filter(({ adapter }) => adapter.reply(plain('')) === undefined)

const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z' }
const drinks = [
	{ title: 'Tea', value: 'drink:tea' },
	{ title: 'Coffee', value: 'drink:coffee' },
	{ title: 'Nothing', value: 'drink:none' },
]
const menu: CanonicalReply = {
	messages: [{ type: 'choices', text: 'What would you like?', choices: drinks }],
	attributes: { session: {}, user: {} },
}

function plain(text: string): CanonicalEvent {
	return { kind: 'message', attributes: {}, ...(text !== '' && { text }) }
}

/** A backend that speaks one of the formats: answers everything with the menu, and keeps what it heard. */
function backend(adapter: Adapter) {
	const heard: CanonicalEvent[] = []
	const server = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) body += chunk
		const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
		const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
		const call = { method: request.method ?? 'GET', query: [...searchParams], headers, body }
		const { model: event } = adapter.event.decode(call)
		heard.push(event)
		const leg = adapter.reply(event)
		if (!leg) return response.end()
		const answer = leg.encode(fitReply(menu, leg, context).value)
		response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body)
	})
	return { heard, server }
}

const backends = new Map(formats.map(({ name, options, adapter }) => [name, { options, ...backend(adapter) }]))
let gateway: Gateway
let runtime: NodeRuntime

beforeAll(async () => {
	runtime = createRuntime(() => {})
	const upstreams = new Map<string, object>()
	for (const [name, { options, server }] of backends) {
		await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
		const address = server.address()
		const port = typeof address === 'object' ? address?.port : undefined
		upstreams.set(name, { url: `http://127.0.0.1:${port}/`, adapter: name, options })
	}
	const routes = formats.flatMap((platform) =>
		formats.map((upstream) => ({
			name: `${platform.name}-to-${upstream.name}`,
			path: `/${platform.name}/${upstream.name}`,
			platform: platform.name,
			options: platform.options,
			upstream: upstreams.get(upstream.name),
		})),
	)
	const config = { upstream: upstreams.get('canonical'), routes }
	gateway = await serve({ config, adapters, log: () => {} })
})

afterAll(async () => {
	await gateway.close()
	await runtime.close()
	for (const { server } of backends.values()) {
		server.close()
		server.closeAllConnections()
	}
})

let conversations = 0

/** What a user does on a platform, and what the user sees and the backend hears of it. */
async function act(platform: string, upstream: string, deed: UserAction, conversation = `talk${++conversations}`) {
	const adapter = formats.find(({ name }) => name === platform)?.adapter
	if (!adapter) throw new Error(`no adapter ${platform}`)
	const { reply } = await simulate(adapter, {
		...deed,
		...runtime,
		conversation,
		url: `${gateway.url}/${platform}/${upstream}`,
		handshake: false,
	})
	return { reply, conversation, heard: backends.get(upstream)?.heard.at(-1) }
}

/** All that a user can read in a reply. */
function words(reply: CanonicalReply | undefined): string {
	return JSON.stringify(reply?.messages)
}

/** How a user takes the nth option of what stands on the screen: presses it, or types its number. */
function pick(reply: CanonicalReply | undefined, n: number): UserAction {
	const options = (reply?.messages ?? []).flatMap((message): readonly (Button | Choice)[] => {
		if (message.type === 'choices') return message.choices
		return message.type === 'text' ? (message.buttons ?? []) : []
	})
	const option = options[n]
	if (option && 'value' in option) return { choice: { value: option.value, label: option.title } }
	return { text: String(n + 1) }
}

describe.each(platforms.map(({ name }) => name))('%s', (platform) => {
	test.each(platforms.map(({ name }) => name))('to an upstream that speaks %s', async (upstream) => {
		const { reply, heard } = await act(platform, upstream, { text: 'Good morning' })
		expect(heard?.text ?? heard?.choice?.value).toBe('Good morning')
		for (const { title } of drinks) expect(words(reply)).toContain(title)
		expect(words(reply)).toContain('What would you like?')
	})

	test.each(oneWay.map(({ name }) => name))('to an upstream that is only told, by %s', async (upstream) => {
		const { heard } = await act(platform, upstream, { text: 'Good morning' })
		expect(heard?.text).toBe('Good morning')
	})

	test.each(drinks.map(({ title }, n) => [title, n]))('a user who takes %s is heard', async (_title, n) => {
		const { reply, conversation } = await act(platform, 'canonical', { text: 'Hello' })
		const { heard } = await act(platform, 'canonical', pick(reply, n), conversation)
		expect(heard?.kind).toBe('choice')
		expect(heard?.choice).toEqual({ value: drinks[n]?.value, label: drinks[n]?.title })
	})
})

describe.each(oneWay.map(({ name }) => name))('%s tells', (platform) => {
	test.each(formats.map(({ name }) => name))('an upstream that speaks %s', async (upstream) => {
		const { heard } = await act(platform, upstream, { text: 'Good morning' })
		expect(heard?.text).toBe('Good morning')
	})
})
