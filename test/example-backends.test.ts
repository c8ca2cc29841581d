/** The backends in examples/: each verifies, answers, offers choices and remembers, behind a gateway with two platforms. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { type Program, startBackend } from './backends.ts'
import { pageAt } from './pages.ts'
import { gateway } from './servers.ts'
import { has } from './tools.ts'

const path = (file: string) => fileURLToPath(new URL(`../examples/backends/${file}`, import.meta.url))
const kit = new URL('../src/backend/index.ts', import.meta.url).href

interface Language {
	readonly program: string
	readonly file: string
	command(file: string, port: number): Program['command']
}

const languages: readonly Language[] = [
	{ program: process.execPath, file: 'backend.ts', command: (file) => [process.execPath, fromSource(file)] },
	{ program: 'python3', file: 'backend.py', command: (file) => ['python3', file] },
	{ program: 'php', file: 'backend.php', command: (file, port) => ['php', '-S', `127.0.0.1:${port}`, file] },
	{ program: 'go', file: 'backend.go', command: (file) => ['go', 'run', file] },
]

/** A copy that imports the kit from source, because the package is not built here. */
function fromSource(file: string): string {
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-example-'))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	const copy = join(folder, 'backend.ts')
	writeFileSync(copy, readFileSync(file, 'utf8').replace("'dragoman/backend'", `'${kit}'`))
	return copy
}

/** A key, as the page says how to make one. */
const key = execFileSync(
	'sh',
	['-c', `${pageAt('examples/backends/README.md').block('make the key')}; echo $BACKEND_KEY`],
	{
		encoding: 'utf8',
	},
).trim()
const otherKey = `whsec_${btoa('another key of 24 bytes!')}`

const routes = [
	{ name: 'chatbot', path: '/chatbot', platform: 'chatbot-v2', options: { text: 'question' } },
	{ name: 'botdistrikt', path: '/botdistrikt', platform: 'botdistrikt' },
]

/** The URL of a gateway that signs with this key. */
async function gatewayThatSigns(url: string, key: string): Promise<string> {
	return (await gateway({ upstream: { url, sign: [{ env: 'KEY' }] }, routes }, adapters, { KEY: key })).url
}

async function post(url: string, body: object): Promise<unknown> {
	const answer = await fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify(body),
	})
	return answer.ok ? answer.json() : answer.status
}

const fromChatBot = (attributes: object) => ({ chatId: 'chat-1', messageId: crypto.randomUUID(), attributes })
const fromBotDistrikt = (values: object) => ({ session_id: 'session-1', ...values })

describe.each(languages)('$file', ({ program, file, command }) => {
	test.skipIf(!has(program))(
		'answers, offers choices and remembers, on two platforms',
		{ timeout: 120_000 },
		async () => {
			const url = await startBackend((port) => ({
				command: command(path(file), port),
				env: { PORT: `${port}`, BACKEND_KEY: key },
			}))
			const signed = await gatewayThatSigns(url, key)

			expect(await post(`${signed}/chatbot`, fromChatBot({ question: 'Hi' }))).toMatchObject({
				responses: [
					{ message: 'Hello!' },
					{ title: 'Which colour do you like?', buttons: [{ title: 'Red' }, { title: 'Green' }] },
				],
			})
			expect(await post(`${signed}/chatbot`, fromChatBot({ question: 'red' }))).toMatchObject({
				responses: [{ message: 'You chose red.' }],
				attributes: { colour: 'red' },
			})
			expect(await post(`${signed}/chatbot`, fromChatBot({ question: 'Hi', colour: 'red' }))).toMatchObject({
				responses: [{ message: 'Your colour is red.' }],
			})

			expect(await post(`${signed}/botdistrikt`, fromBotDistrikt({ msg: 'Hi' }))).toMatchObject({
				responses: ['Hello!', 'Which colour do you like?'],
				quickreplies: ['Red', 'Green'],
			})
			expect(await post(`${signed}/botdistrikt`, fromBotDistrikt({ msg: 'Green' }))).toMatchObject({
				responses: ['You chose green.'],
				memory: { colour: 'green' },
			})

			const forged = await gatewayThatSigns(url, otherKey)
			expect(await post(`${forged}/botdistrikt`, fromBotDistrikt({ msg: 'Hi' }))).toBe(502)
			expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
		},
	)
})
