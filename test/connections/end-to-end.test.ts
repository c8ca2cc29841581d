/** A webhook from the command line to its first turn: a gateway, the simulated API of ChatBot, and the program, over HTTP. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createChatBotClient } from '../../adapters/chatbot/management/index.ts'
import { simulatedApi } from '../../adapters/chatbot/management/simulated.ts'
import { chatbotV2 } from '../../adapters/chatbot-v2/index.ts'
import { adapters } from '../../adapters/index.ts'
import { runConnections } from '../../src/node/connections/connections-command.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import { serveSimulatedApi } from '../../src/node/simulated-api-server.ts'
import { renderReply, simulate } from '../../src/simulator/index.ts'
import { environment, program } from '../harness/gateway.ts'
import { folder } from '../harness/scope.ts'
import { gateway, testScope } from '../servers.ts'
import { story } from './account.ts'

const env = { CHATBOT_API_TOKEN: 'developer-access-token', SHOP_TOKEN: 'token-of-the-shop' }

const config = {
	upstream: { url: 'builtin:demo' },
	routes: [
		{
			...{ name: 'shop', path: '/shop', platform: 'chatbot-v2', options: { text: 'question' } },
			secrets: [{ env: 'SHOP_TOKEN' }],
		},
	],
}

async function chatbot() {
	const notes: string[] = []
	const api = simulatedApi({ now: Date.now, newId: randomUUID, token: env.CHATBOT_API_TOKEN })
	const server = await serveSimulatedApi(api, 0, ({ note }) => {
		if (note !== undefined) notes.push(note)
	})
	onTestFinished(server.close)
	return { api: server.url, notes, client: createChatBotClient({ token: env.CHATBOT_API_TOKEN, api: server.url }) }
}

function run(...args: string[]): Promise<{ code: number; out: string }> {
	const out: string[] = []
	const say = (line: string): void => void out.push(line)
	const surroundings = { env, config: async () => config, say, report: say }
	return runConnections(args, surroundings).then((code) => ({ code, out: out.join('\n') }))
}

test('a webhook is created with one command, answers its verification, and carries a turn', async () => {
	const { url, lines } = await gateway(config, adapters, env)
	const { api, notes, client } = await chatbot()
	const file = join(folder(testScope), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const args = ['connections', 'create', '--route', 'shop', '--public-url', url, '--story', story, '--api', api]
	const said = await new Promise<string>((done, failed) => {
		const surroundings = { ...environment, ...env, DRAGOMAN_CONFIG: file }
		execFile(process.execPath, [program, ...args], { env: surroundings }, (error, stdout, stderr) => {
			if (error) failed(new Error(stderr, { cause: error }))
			else done(stdout)
		})
	})
	const [, id = ''] = /^Webhook (\w{24}) created\.\n$/.exec(said) ?? []
	expect(notes).toEqual([`webhook ${id} created: "shop" answered the challenge`])

	// The platform calls what its account has, and nothing else.
	const webhook = await client.show(id)
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	const platform = chatbotV2.create({ text: 'question' })
	const call = { url: webhook.url, secret: webhook.token ?? '', handshake: false, text: 'hello' }
	const { reply } = await simulate(platform, { ...runtime, ...call })
	expect(reply && renderReply(reply)).toContain('You said: hello')
	await expect.poll(() => lines.filter(({ msg }) => msg === 'turn')).toHaveLength(1)
})

test('nothing is created while the gateway is down, or has another secret', async () => {
	const { api, client } = await chatbot()
	const create = (url: string) => run('create', '--route', 'shop', '--public-url', url, '--story', story, '--api', api)
	const down = await create('http://127.0.0.1:1')
	expect(down.code).toBe(1)
	expect(down.out).toContain('Webhook verification failed: connect ECONNREFUSED')
	const { url } = await gateway(config, adapters, { SHOP_TOKEN: 'another-token-of-the-shop' })
	const other = await create(url)
	expect(other.code).toBe(1)
	expect(other.out).toContain('Webhook verification failed: Request failed with status code 404')
	expect(await client.list()).toEqual([])
})
