/** Walks docs/move-from-express.md: the handlers as they were, the same ones behind a gateway, and the backend that replaces them. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { startBackend } from './backends.ts'
import { dragoman } from './harness/command.ts'
import { pageAt } from './pages.ts'
import { gateway } from './servers.ts'

const { block, changed } = pageAt('docs/move-from-express.md')
const secrets = {
	CHATBOT_TOKEN: '0123456789abcdef',
	TILEDESK_SECRET: 'fedcba9876543210',
	BACKEND_KEY: `whsec_${btoa('0123456789abcdef01234567')}`,
}
const kit = new URL('../src/backend/index.ts', import.meta.url).href

/** A folder in which programs find the packages of this one. */
function folder(): string {
	const at = mkdtempSync(join(tmpdir(), 'dragoman-move-'))
	onTestFinished(() => rmSync(at, { recursive: true }))
	symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(at, 'node_modules'))
	return at
}

/** The URL of a program of the page. */
function running(code: string): Promise<string> {
	const file = join(folder(), 'program.mjs')
	writeFileSync(file, code.replace("'dragoman/backend'", `'${kit}'`))
	return startBackend((port) => ({ command: [process.execPath, file], env: { ...secrets, PORT: `${port}` } }))
}

async function post(url: string, body: object): Promise<unknown> {
	const headers = { 'content-type': 'application/json' }
	const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
	return answer.ok ? answer.json() : answer.status
}

const fromChatBot = (question: string) => ({
	chatId: 'chat-1',
	messageId: crypto.randomUUID(),
	attributes: { question },
})
const asked = {
	responses: [
		{ type: 'quickReplies', title: 'Which order do you mean?', buttons: [{ value: '1207' }, { value: '1198' }] },
	],
}
const told = { responses: [{ type: 'text', message: 'It left yesterday.' }] }

/** Checks a configuration, serves it, and talks to both platforms; what the user of Tiledesk sees. */
async function talkedThrough(config: string): Promise<string> {
	const at = folder()
	writeFileSync(join(at, 'gateway.json'), config)
	expect(await dragoman(['check', '--config', 'gateway.json'], { cwd: at, env: secrets })).toMatchObject({
		code: 0,
		err: '',
	})
	const { url } = await gateway(JSON.parse(config), adapters, secrets)

	const chatbot = `${url}/chatbot?token=${secrets.CHATBOT_TOKEN}`
	expect(await (await fetch(`${chatbot}&challenge=42`)).text()).toBe('42')
	expect(await post(chatbot, fromChatBot('Where is my order?'))).toMatchObject(asked)
	expect(await post(chatbot, fromChatBot('1207'))).toMatchObject(told)

	const [npx, program, ...args] = words(block('talk on tiledesk'))
	expect([npx, program]).toEqual(['npx', 'dragoman'])
	const { out, code } = await dragoman(args, { cwd: at, env: { ...secrets, PORT: new URL(url).port } })
	expect(code).toBe(0)
	return out
}

/** What the page shows, without the delays that only ChatBot's format asks for. */
const undelayed = `${block('talked on tiledesk').replaceAll('(100 ms)\n', '')}\n`

/** The words of a command, of which some are in quotes. */
function words(command: string): string[] {
	return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain)
}

test('the handlers answer both platforms', async () => {
	const url = await running(block('before'))
	expect(await post(`${url}/chatbot`, fromChatBot('1207'))).toBe(401)
	const chatbot = `${url}/chatbot?token=${secrets.CHATBOT_TOKEN}`
	expect(await (await fetch(`${chatbot}&challenge=42`)).text()).toBe('42')
	expect(await post(chatbot, fromChatBot('Where is my order?'))).toMatchObject(asked)
	expect(await post(chatbot, fromChatBot('1207'))).toMatchObject(told)
	const fromTiledesk = (text: string) => ({ payload: { message: { text } } })
	expect(await post(`${url}/tiledesk`, fromTiledesk('1207'))).toEqual({ text: 'It left yesterday.' })
	expect(await post(`${url}/tiledesk`, fromTiledesk('Hi'))).toMatchObject({ text: 'Which order do you mean?' })
})

test('one handler serves both platforms, and the backend that replaces it says the same', {
	timeout: 60_000,
}, async () => {
	const kept = block('keep the backend')
	const before = await running(block('before'))
	expect(await talkedThrough(kept.replaceAll('http://127.0.0.1:3000', before))).toBe(`${block('talked on tiledesk')}\n`)

	const after = await running(block('after'))
	const own = changed(`${kept}\n`, 'own format').replaceAll('http://127.0.0.1:3000', after)
	expect(await talkedThrough(own)).toBe(undelayed)
	expect(await post(after, {})).toBe(401)
})

test('the backend is served by Fastify', async () => {
	const imports = "import fastify from 'fastify'\n"
	const backend = block('after')
		.replace(/^const app[\s\S]*$/m, '')
		.replace("import express from 'express'\n", imports)
	const listen = "await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })\n"
	const url = await running(`${backend}${block('fastify')}\n${listen}`)
	const config = changed(`${block('keep the backend')}\n`, 'own format').replaceAll('http://127.0.0.1:3000', url)
	expect(await talkedThrough(config)).toBe(undelayed)
})
