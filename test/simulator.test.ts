/** The simulator plays a platform against real servers on this machine, and the command line plays it for people. */
import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { chatbotV2 } from '../adapters/chatbot-v2/index.ts'
import { pingstreams } from '../adapters/pingstreams/index.ts'
import type { Adapter } from '../src/format/index.ts'
import type { CanonicalReply } from '../src/model/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { renderReply, selectableOptions, simulate, type UserAction } from '../src/simulator/index.ts'
import type { Simulation } from '../src/simulator/simulator.ts'
import { folderWith } from './command-line/run.ts'
import { dragoman } from './harness/command.ts'
import type { Script } from './harness/upstream.ts'
import { gateway, json, ownJson, says, statusOnly, upstream } from './servers.ts'

const chatbot = chatbotV2.create({ text: 'question' })

function play(
	adapter: Adapter,
	url: string,
	deed: UserAction,
	how: Partial<Pick<Simulation, 'secret' | 'handshake' | 'conversation' | 'user'>> = {},
) {
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	return simulate(adapter, { ...runtime, url, ...how, ...deed })
}

/** A gateway to which ChatBot calls, and the backend behind it. */
async function chatbotGateway() {
	const backend = await upstream(({ body }) => {
		const { event } = JSON.parse(body)
		const choices = [{ title: 'Red', value: 'colour-red' }]
		const menu = { messages: [{ type: 'choices', text: 'Which?', choices }] }
		return json(event.text === 'colours' ? menu : says(event.text ?? 'What?'))
	})
	const route = {
		name: 'in',
		path: '/in',
		platform: 'chatbot-v2',
		options: { text: 'question' },
		secrets: [{ env: 'SECRET' }],
	}
	const config = { upstream: { url: backend.url }, routes: [route] }
	const { url } = await gateway(config, [canonical, chatbotV2], { SECRET: 'hush-hush-hush-hush' })
	return { backend, url: `${url}/in` }
}

test('a platform’s user talks with a backend through the gateway', async () => {
	const { backend, url } = await chatbotGateway()
	const secret = 'hush-hush-hush-hush'
	const asked = await play(chatbot, url, { text: 'colours' }, { secret })
	expect(renderReply(asked.reply ?? silent)).toBe('(100 ms)\nWhich?\n  1) Red')

	const [choice] = selectableOptions(asked.reply ?? silent)
	expect(choice).toEqual({ title: 'Red', value: 'colour-red' })
	const pressed = await play(chatbot, url, { choice: { value: 'colour-red', label: 'Red' } }, { secret })
	expect(renderReply(pressed.reply ?? silent)).toContain('colour-red')
	expect(pressed.lost.map(({ path, did }) => `${path} ${did}`)).toContain('choice.value converted')
	expect(backend.calls).toHaveLength(2)
})

test('a wrong secret gets no further than the set-up call', async () => {
	const { backend, url } = await chatbotGateway()
	await expect(play(chatbot, url, { text: 'Hi' }, { secret: 'wrong-wrong-wrong' })).rejects.toThrow(
		'the platform would refuse: the set-up call expects an answer other than status 404',
	)
	expect(backend.calls).toHaveLength(0)
})

test('without authentication in the format, the secret is the last segment of the path', async () => {
	const server = await upstream()
	await play(canonical.create(), `${server.url}/in?a=1`, { text: 'Hi' }, { secret: 'a/b' })
	expect(server.calls[0]?.path).toBe('/in/a%2Fb?a=1')
})

test('the user has ids like those of platforms, and given ids are used', async () => {
	const server = await upstream()
	const heard = () => JSON.parse(server.calls.at(-1)?.body ?? '{}').event
	await play(canonical.create(), server.url, { text: 'Hi' })
	expect(heard().conversation).toMatch(/^[\da-f]{24}$/)
	expect(heard().user).toEqual({ id: expect.stringMatching(/^[\da-f]{24}$/), attributes: {} })
	await play(canonical.create(), server.url, { text: 'Hi' }, { conversation: 'c1', user: 'u1' })
	expect(heard()).toMatchObject({ conversation: 'c1', user: { id: 'u1' } })
	const event = { kind: 'message', text: 'Hi', attributes: {} } as const
	await play(canonical.create(), server.url, { event })
	expect(heard()).toEqual(event)
})

test('a platform that ignores the answer shows none', async () => {
	const server = await upstream(() => ({ status: 200, headers: [], body: 'ok' }))
	const oneWay = ownJson('one-way', { reply: () => undefined }).create()
	expect(await play(oneWay, server.url, { start: true })).not.toHaveProperty('reply')
})

describe('the platform would reject', () => {
	const text = (length: number) => ({ responses: [{ type: 'text', delay: 100, message: 'x'.repeat(length) }] })

	test.each<[string, Script]>([
		['status 500', () => statusOnly(500)],
		['status 307', () => statusOnly(307, [['location', '/']])],
		['upstream-reply-invalid', () => json(text(10).responses[0]?.message)],
		['it cannot show messages[0].text (reply.text): split', () => json(text(1025))],
		['bytes; the limit is 100000', () => json({ ...text(10), attributes: { a: 'x'.repeat(1e5) } })],
		['the URL cannot be reached. Check that the gateway is running', (_, { socket }) => void socket.destroy()],
	])('%s', async (why, answer) => {
		const server = await upstream(answer)
		const refused = play(chatbot, server.url, { text: 'Hi' }, { handshake: false })
		await expect(refused).rejects.toThrow('the platform would refuse: ')
		await expect(refused).rejects.toThrow(why === 'upstream-reply-invalid' ? 'field-invalid' : why)
	})

	test('no answer within its deadline', async () => {
		const server = await upstream(() => undefined)
		const refused = play({ ...chatbot, deadline: 50 }, server.url, { text: 'Hi' }, { handshake: false })
		await expect(refused).rejects.toThrow('no answer within 50 ms')
	})
})

const silent: CanonicalReply = { messages: [], attributes: { session: {}, user: {} } }

test('a reply is shown as text, with numbered buttons and choices', () => {
	const reply: CanonicalReply = {
		messages: [
			{
				type: 'text',
				text: 'Hello',
				alternatives: ['Hi'],
				buttons: [{ type: 'link', title: 'More', url: 'https://a.example' }],
			},
			{ type: 'image', url: 'https://a.example/a.png', alt: 'A dog', delay: 500 },
			{ type: 'file', url: 'https://a.example/a.pdf' },
			{
				type: 'cards',
				cards: [
					{ title: 'Paint', subtitle: 'One litre', buttons: [{ type: 'postback', title: 'Take it', value: 'take' }] },
				],
			},
			{
				type: 'choices',
				choices: [
					{ title: 'Start', target: 'block-1' },
					{ title: 'Stop', value: 'stop' },
				],
			},
		],
		attributes: { session: { colour: 'red', old: null }, user: { age: 7 } },
		control: { close: true, tags: ['done'] },
	}
	expect(renderReply(reply).split('\n')).toEqual([
		'Hello',
		'or: Hi',
		'  [More] https://a.example',
		'(500 ms)',
		'[image] https://a.example/a.png (A dog)',
		'[file] https://a.example/a.pdf',
		'[card] Paint',
		'       One litre',
		'  1) Take it',
		'  2) Start -> block-1',
		'  3) Stop',
		'<session: colour = "red">',
		'<session: old deleted>',
		'<user: age = 7>',
		'<close: true>',
		'<tags: ["done"]>',
	])
	expect(selectableOptions(reply)).toHaveLength(3)
	expect(renderReply(silent)).toBe('(nothing)')
})

describe('dragoman simulate', () => {
	const file = fileURLToPath(new URL('../src/node/main.ts', import.meta.url))
	const run = (...args: string[]) =>
		new Promise<{ code: unknown; out: string; err: string }>((done) => {
			const env = { ...process.env, MY_SECRET: 'hush-hush-hush-hush' }
			execFile(process.execPath, [file, 'simulate', ...args], { env }, (error, out, err) =>
				done({ code: error?.code ?? 0, out, err }),
			)
		})

	test('shows what the user sees, presses an option, and says what is lost', async () => {
		const { url } = await chatbotGateway()
		const options = ['--option', 'text=question', '--secret-env', 'MY_SECRET', '--conversation', 'c1']
		const press = ['chatbot-v2', '--url', url, '--text', 'colours', '--choose', '1', ...options]
		const { code, out, err } = await run(...press)
		expect({ code, out }).toEqual({ code: 0, out: '(100 ms)\nWhich?\n  1) Red\n> Red\n(100 ms)\ncolour-red\n' })
		expect(err).toBe('')
		expect((await run(...press, '--verbose')).err).toContain('chatbot-v2 has no field for choice.label')
	})

	test('names the option that would prevent a loss', async () => {
		const { url } = await chatbotGateway()
		const args = ['chatbot-v2', '--url', url, '--secret-env', 'MY_SECRET', '--text', 'colours']
		const without = await run(...args)
		expect(without.err).toContain('chatbot-v2 has no field for text (event.text): dropped\n')
		expect(without.err).toContain('--option text=question')
		expect((await run(...args, '--option', 'text=question')).err).not.toContain('--option')
	})

	test('a rejection with 404 names possible causes', async () => {
		const { url } = await chatbotGateway()
		const { code, err } = await run('chatbot-v2', '--url', url, '--text', 'Hi')
		expect(code).toBe(1)
		expect(err).toContain('404: wrong path, or missing or wrong secret')
	})

	test('exits with 1 and the reason if the platform would reject the answer', async () => {
		const server = await upstream(() => ({ status: 502, headers: [], body: '{"title":"upstream-unreachable"}' }))
		const { code, err, out } = await run('canonical', '--url', server.url, '--text', 'Hi', '--raw')
		expect({ code, err }).toEqual({
			code: 1,
			err: 'the platform would refuse: status 502: {"title":"upstream-unreachable"}\n',
		})
		expect(out).toBe('502\n\n{\n  "title": "upstream-unreachable"\n}\n\n')
	})

	test('shows the platform’s own reply if the webhook fails', async () => {
		const server = await upstream(() => ({ status: 424, headers: [], body: '{}' }))
		const { code, out } = await run('pingstreams', '--url', server.url, '--text', 'Hi', '--default-reply', 'One moment')
		expect({ code, out }).toEqual({ code: 1, out: 'One moment\n' })
	})

	test('serves the API beside the turn: shows what comes that way as it comes, and presses its options', async () => {
		let port = (_: string): void => {}
		const api = new Promise<string>((found) => (port = found))
		// A bot that is nothing but a URL: the call brings the token, and each message is a call.
		const bot = await upstream(async ({ body }) => {
			const { payload, hook, token } = JSON.parse(body)
			const { id_project: project } = hook
			const choice = payload.attributes?.action
			const buttons = [{ type: 'action', value: 'Red', action: 'paint{"choice":"red"}', show_echo: true }]
			const attributes = { attachment: { type: 'template', buttons } }
			const messages = choice ? [{ text: `You chose ${choice}.` }] : [{ text: 'Hello' }, { text: 'Which?', attributes }]
			for (const message of messages) {
				await fetch(`${await api}/${project}/requests/${payload.request.request_id}/messages`, {
					method: 'POST',
					headers: { authorization: `JWT ${token}` },
					body: JSON.stringify(message),
				})
			}
			return statusOnly(200)
		})
		const args = ['pingstreams', '--url', bot.url, '--option', 'dialect=external', '--text', 'Hi', '--choose', '1']
		const child = spawn(process.execPath, [file, 'simulate', ...args, '--raw', '--api', '0'], {
			stdio: ['ignore', 'pipe', 'pipe'],
		})
		const ended = new Promise((done) => child.once('close', done))
		onTestFinished(async () => {
			child.kill()
			await ended
		})
		const heard = { out: '', err: '' }
		child.stdout.on('data', (chunk) => (heard.out += chunk))
		child.stderr.on('data', (chunk) => {
			heard.err += chunk
			const [, url] = /listens on (\S+)/.exec(heard.err) ?? []
			if (url) port(url)
		})
		await expect.poll(() => heard.out).toMatch(/^You chose /m)
		// `--raw` prints each exchange with the API, without the token.
		const call =
			/^API: POST (\/\S+\/messages)\n(?:\S+: .+\n)*authorization: \[redacted\]\n(?:\S+: .+\n)*\n\{\n {2}"text": "(.+)"/gm
		const calls = [...heard.out.matchAll(call)].map(([, , text = '']) => JSON.parse(`"${text}"`))
		expect(calls).toEqual(['Hello', 'Which?', 'You chose paint{"choice":"red"}.'])
		expect(heard.out.match(/^API: 200$/gm)).toHaveLength(3)
		const shown = heard.out
			.split('\n')
			.filter((line) => /^(?:Hello|Which\?| {2}1\) Red|> Red|You chose .+)$/.test(line))
		const [before, after] = `${shown.join('\n')}\n`.split('> Red\n')
		expect([before, after]).toEqual(['Hello\nWhich?\n  1) Red\n', 'You chose paint{"choice":"red"}.\n'])
	})

	const v2 = ['chatbot-v2', '--url', 'http://a.example', '--start', '--option']
	test.each([
		[
			'No adapter is named "chatbotv2"; did you mean "chatbot-v2"? Available: canonical,',
			['chatbotv2', '--url', 'http://a.example', '--text', 'Hi'],
		],
		['Give the URL of the webhook: --url', ['canonical', '--text', 'Hi']],
		['that starts with http:// or https://', ['canonical', '--url', 'localhost:8787/in', '--text', 'Hi']],
		['either --text or --start', ['canonical', '--url', 'http://a.example', '--text', 'Hi', '--start']],
		['MY_OTHER is not set', ['canonical', '--url', 'http://a.example', '--start', '--secret-env', 'MY_OTHER']],
		[
			'canonical has no option a; it has no options.',
			['canonical', '--url', 'http://a.example', '--start', '--option', 'a=b'],
		],
		['chatbot-v2 has no option tekst; available: text, action, userAttributes.', [...v2, 'tekst=question']],
		['Invalid option userAttributes of chatbot-v2; expected: "drop" or "session".', [...v2, 'userAttributes=keep']],
		['Invalid option text of chatbot-v2; expected: a string.', [...v2, 'text=5']],
		['Unknown option --tekst; did you mean "--text"?', ['--tekst', 'Hi']],
		[
			'canonical has no API for conversations; these have one: pingstreams.',
			['canonical', '--url', 'http://a.example', '--start', '--api', '0'],
		],
		['--api must be a port', ['pingstreams', '--url', 'http://a.example', '--start', '--api', 'x']],
	])('exits with 2: %s', async (why, args) => {
		const { code, err } = await run(...args)
		expect(code).toBe(2)
		expect(err).toContain(why)
	})

	test('without --text and --start the user talks, and presses options by their numbers', async () => {
		const { url } = await chatbotGateway()
		const args = ['chatbot-v2', '--url', url, '--option', 'text=question', '--secret-env', 'MY_SECRET']
		const env = { MY_SECRET: 'hush-hush-hush-hush' }
		const { code, out } = await dragoman(['simulate', ...args], { env, input: 'colours\n1\n\n2\n' })
		expect([code, out]).toEqual([0, '(100 ms)\nWhich?\n  1) Red\n> Red\n(100 ms)\ncolour-red\n(100 ms)\n2\n'])
	})

	test('a secret is read from the .env beside the configuration, unless the environment has it', async () => {
		const { url } = await chatbotGateway()
		const { path, remove } = folderWith({ '.env': 'FILED=hush-hush-hush-hush\nMY_SECRET=another' })
		onTestFinished(remove)
		const common = ['chatbot-v2', '--url', url, '--option', 'text=question', '--text', 'colours']
		const config = ['--config', join(path, 'gateway.json')]
		for (const name of ['FILED', 'MY_SECRET']) {
			expect(await run(...common, ...config, '--secret-env', name)).toMatchObject({ code: 0, err: '' })
		}
		expect((await run(...common, '--secret-env', 'FILED')).err).toContain('FILED is not set')
	})

	test('a route of the configuration says what to play, and against what', async () => {
		const { url } = await chatbotGateway()
		const { path, remove } = folderWith({
			'gateway.json': {
				upstream: { url: 'builtin:demo' },
				routes: [
					{
						name: 'shop',
						path: '/in',
						platform: 'chatbot-v2',
						options: { text: 'question' },
						secrets: [{ env: 'SHOP' }],
					},
				],
			},
			'.env': 'SHOP=hush-hush-hush-hush',
		})
		onTestFinished(remove)
		const args = ['simulate', '--route', 'shop', '--text', 'Hi', '--config', `${path}/gateway.json`, '--json']
		const { code, out } = await dragoman(args, { env: { PORT: new URL(url).port } })
		expect(code).toBe(0)
		expect(JSON.parse(out)).toMatchObject({ event: { kind: 'message' }, reply: { messages: [{ text: 'Hi' }] } })
		const wrong = await dragoman(['simulate', '--route', 'shp', '--config', `${path}/gateway.json`])
		expect([wrong.code, wrong.err]).toEqual([
			2,
			expect.stringContaining('No route is named "shp"; did you mean "shop"?'),
		])
	})

	test('--help', async () => {
		const { code, out } = await run('--help')
		expect(code).toBe(0)
		expect(out).toContain('canonical --url http://127.0.0.1:8787/canonical --text choices')
	})
})

describe('Pingstreams shows', () => {
	const button = (title: string) => ({ type: 'text', value: title })
	const spoken = (text: string, ...buttons: object[]) => ({
		type: 'message',
		message: {
			type: 'text',
			text,
			...(buttons.length > 0 && { attributes: { attachment: { type: 'template', buttons } } }),
		},
	})
	const reply = (...commands: object[]) => ({ actions: [{ _tdActionType: 'reply', attributes: { commands } }] })
	const wait = { type: 'wait', time: 500 }

	async function seen(answer: object, options: object = {}) {
		const { url } = await upstream(() => json(answer))
		const turn = await play(pingstreams.create(options), url, { text: 'Hi' })
		return renderReply(turn.reply ?? silent)
	}

	test.each([
		['the first message at once', reply(spoken('One'), wait, spoken('Two')), 'One\n(500 ms)\nTwo'],
		[
			'buttons under the last message only',
			reply(spoken('One', button('A')), wait, spoken('Two', button('B'))),
			'One\n(500 ms)\nTwo\n  1) B',
		],
		['markup as the engine reads it', { text: 'Pick\n* Tea\n\nBye' }, 'Pick\n(500 ms)\nBye'],
		['variables filled in', { text: `You said \${lastUserText}` }, 'You said Hi'],
		[
			'a text that asks for markup, alone',
			{ text: `You said \${lastUserText}\n* Yes\n* No`, attributes: { markbot: true } },
			'You said Hi\n  1) Yes\n  2) No',
		],
		[
			'a text that asks for markup, behind another, as words',
			reply(spoken('One'), wait, {
				type: 'message',
				message: { text: `\${lastUserText}\n* Yes`, attributes: { markbot: true } },
			}),
			'One\n(500 ms)\nHi\n* Yes',
		],
		[
			'nothing of a note for agents',
			{ text: 'angry', attributes: { subtype: 'private' } },
			'<pingstreams: {"hidden":[{"subtype":"private","text":"angry"}]}>',
		],
		['nothing', {}, '(nothing)'],
	])('%s', async (_what, answer, shown) => {
		expect(await seen(answer)).toBe(shown)
	})

	test('the static reply in the older engine, when an answer says nothing', async () => {
		expect(await seen({}, { dialect: 'server' })).toBe('(the static reply of the intent)')
	})

	test('a bot, its project and the intent in its calls', async () => {
		const backend = await upstream(() => json({}))
		const { event } = await play(pingstreams.create(), backend.url, { text: 'Hi' })
		expect(event).toMatchObject({
			bot: { id: expect.any(String), name: expect.any(String), project: expect.any(String) },
			trigger: { kind: 'intent', name: expect.any(String) },
		})
	})
})
