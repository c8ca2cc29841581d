/** Walks docs/chatbot-webhooks.md: its commands, against a gateway and a simulated account on free ports. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { simulatedApi } from '../../adapters/chatbot/management/simulated.ts'
import { adapters } from '../../adapters/index.ts'
import { runConnections } from '../../src/node/connections/connections-command.ts'
import { serveSimulatedApi } from '../../src/node/simulated-api-server.ts'
import { pageAt } from '../pages.ts'
import { gateway } from '../servers.ts'

const { block } = pageAt('docs/chatbot-webhooks.md')
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const config = JSON.parse(read('../../config/gateway.json'))

async function surroundings() {
	const { url: here } = await gateway(config, adapters)
	const notes: (string | undefined)[] = []
	const api = simulatedApi({ now: Date.now, newId: randomUUID })
	const { url: account, close } = await serveSimulatedApi(api, 0, ({ note }) => notes.push(note))
	onTestFinished(close)
	const onFreePorts = (text: string) =>
		text.replaceAll('http://127.0.0.1:8787', here).replaceAll('http://127.0.0.1:8790', account)
	/** Runs the commands of a block that are those of `connections`, with the variables that it exports. */
	const run = async (name: string, env: { [name: string]: string }, routes: object = config) => {
		const said: string[] = []
		const variables = { ...env }
		for (const line of onFreePorts(block(name)).split('\n')) {
			const [, variable, value] = /^export (\w+)=(\w+)$/.exec(line) ?? []
			const [, args] = /^npm run connections -- (.*)$/.exec(line) ?? []
			if (variable !== undefined && value !== undefined) variables[variable] = value
			else if (args === undefined) throw new Error(`not a command of connections: ${line}`)
			else {
				const say = (text: string): void => void said.push(text)
				await runConnections(args.split(' '), { env: variables, config: async () => routes, say, report: say })
			}
		}
		return said.join('\n')
	}
	return { run, notes, onFreePorts, account }
}

test('its commands do what it says, and print what it shows', async () => {
	const scripts = JSON.parse(read('../../package.json')).scripts
	expect(scripts.connections).toBe('node src/node/main.ts connections')
	expect(block('simulated account')).toBe('npm run simulate -- chatbot-v2 --api 8790')
	const { run, notes, onFreePorts } = await surroundings()
	const [, id = ''] = /^Webhook (\w{24}) created\.$/.exec(await run('create', {})) ?? []
	expect(notes).toEqual([`webhook ${id} created: "chatbot" answered the challenge`])

	const [, args = ''] = /^npm run simulate -- (.*)$/.exec(onFreePorts(block('turn'))) ?? []
	const simulator = new URL('../../src/node/main.ts', import.meta.url).pathname
	const { stdout } = await promisify(execFile)(process.execPath, [simulator, 'simulate', ...args.split(' ')])
	expect(stdout).toContain('You said: hello')

	const [route, ...others] = config.routes
	const secured = { ...config, routes: [{ ...route, secrets: [{ env: 'CHATBOT_TOKEN' }] }, ...others] }
	const env = { CHATBOT_API_TOKEN: 'simulated', CHATBOT_TOKEN: 'token-of-the-webhook' }
	expect(await run('sync', env, secured)).toBe(block('difference').replace(/\b[\da-f]{24}\b/, id))
})

test('its program runs', async () => {
	const { onFreePorts, account } = await surroundings()
	const client = new URL('../../adapters/chatbot/management/index.ts', import.meta.url).href
	const program = onFreePorts(block('program')).replace('dragoman/chatbot', client)
	const env = { PATH: process.env.PATH, CHATBOT_API_TOKEN: 'simulated', CHATBOT_API: account }
	const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { env })
	const { stdout, stderr } = await run
	expect(stderr).toBe('')
	expect(stdout).toMatch(/^Orders and returns http:\/\/127\.0\.0\.1:\d+\/chatbot no error\n$/)
})
