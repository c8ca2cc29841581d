/** Walks the README from the first call to a signed one: its commands, its configuration and its backend are what runs. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv, promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { readConfig } from '../src/config/index.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import { freePort, startBackend as startProgram } from './backends.ts'
import { folderWith } from './command-line/run.ts'
import { dragoman } from './harness/command.ts'
import { pageAt } from './pages.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const { block, changed } = pageAt('README.md')

const config = read('../config/gateway.json')
const bodyOf = (name: string) => /-d '(.*)'$/s.exec(block(name))?.[1] ?? ''
const running: (() => unknown)[] = []

afterEach(async () => {
	for (const stop of running.splice(0)) await stop()
})

async function start(config: string, env: { [name: string]: string } = {}): Promise<Gateway> {
	const gateway = await serve({ config: JSON.parse(config), adapters, env, log() {} })
	running.push(() => gateway.close())
	return gateway
}

function post(url: string, body: string): Promise<Response> {
	return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

test('the first call is answered as the README shows', async () => {
	expect(block('call')).toContain('http://127.0.0.1:8787/chatbot')
	const { url } = await start(config)
	expect(await (await post(`${url}/chatbot`, bodyOf('call'))).json()).toEqual(JSON.parse(block('answer')))
})

test('the simulator talks as the README shows', async () => {
	const { url } = await start(config)
	const [npm, run, script, dashes, ...args] = block('simulate').replace('http://127.0.0.1:8787', url).split(' ')
	expect([npm, run, script, dashes]).toEqual(['npm', 'run', 'simulate', '--'])
	const file = fileURLToPath(new URL('../src/node/main.ts', import.meta.url))
	const { stdout } = await promisify(execFile)(process.execPath, [file, 'simulate', ...args])
	expect(stdout).toContain('> Red\n(100 ms)\nYou chose Red.')
})

test('one reply is previewed on three platforms as the README shows', async () => {
	const { path, remove } = folderWith({ 'reply.json': block('reply.json') })
	running.push(remove)
	const [npm, run, script, dashes, ...args] = block('preview').split(' ')
	expect([npm, run, script, dashes]).toEqual(['npm', 'run', 'dragoman', '--'])
	expect(await dragoman(args, { cwd: path })).toEqual({ code: 0, out: `${block('previewed')}\n`, err: '' })
})

test('its backend answers through the gateway, and survives invalid calls', async () => {
	const backend = await startBackend(block('backend'))
	const { url } = await start(changed(config, 'upstream').replace('http://127.0.0.1:9000', backend))
	for (const body of ['', 'no JSON', 'null', '{}']) expect((await post(backend, body)).status).toBe(400)
	const answer = await post(`${url}/chatbot`, bodyOf('call'))
	expect(await answer.json()).toMatchObject({
		responses: [{ type: 'text', message: 'Good day, Ada!' }],
		attributes: { greeted: 'yes' },
	})
})

test('behind a secret, its backend checks the signature', async () => {
	const env = secretsMadeBy('make the token', 'make the key')
	expect(env).toEqual({ CHATBOT_TOKEN: expect.any(String), BACKEND_KEY: expect.any(String) })
	const backend = await startBackend(changed(block('backend'), 'verify'), env)
	const final = ['upstream', 'secrets', 'sign'].reduce(changed, config)
	const { url } = await start(final.replace('http://127.0.0.1:9000', backend), env)
	expect((await post(`${url}/chatbot`, bodyOf('call'))).status).toBe(404)
	const [, query] = /8787\/chatbot(\?[^"]+)"/.exec(block('call with the token')) ?? []
	const target = `${url}/chatbot${query?.replace('$CHATBOT_TOKEN', env.CHATBOT_TOKEN ?? '')}`
	for (const [call, name] of [
		['call', ', Ada'],
		['call with the token', ''],
	] as const) {
		const answer = await post(target, bodyOf(call))
		expect(await answer.json()).toMatchObject({ responses: [{ type: 'text', message: `Good day${name}!` }] })
	}
	for (const body of ['{}', bodyOf('call')]) expect((await post(backend, body)).status).toBe(401)
})

test('a slow backend gives its user the holding reply and then the answer; an external bot answers', {
	timeout: 60_000,
}, async () => {
	// The same in a 25th of the time.
	const backend = await startBackend(block('slow backend').replace('9001', '9000').replace('25_000', '1000'))
	const directory = await mkdtemp(join(tmpdir(), 'dragoman-readme-'))
	running.push(() => rm(directory, { recursive: true }))
	const port = `${await freePort()}`
	expect(() => readConfig(JSON.parse(block('late answers')), { adapters, env: {}, loopback: true })).not.toThrow()
	const late = block('late answers')
		.replace('http://127.0.0.1:9001', backend)
		.replace('../late', directory)
		.replace('8790', port)
		.replace('8000', '320')
	const { url } = await start(late)
	const said = await simulated('talk to the slow backend', url, port, 'You said')
	expect(said).toBe('One moment, please.\nYou said: Hello\n')
	const told = await simulated('talk to an external bot', url, port, 'You said')
	expect(told).toBe('(the platform reads no answer)\nYou said: Hello\n')
})

/** The variables of `config/.env` after the first commands of these blocks. */
function secretsMadeBy(...names: readonly string[]): { [name: string]: string } {
	const directory = mkdtempSync(join(tmpdir(), 'dragoman-readme-'))
	running.push(() => rm(directory, { recursive: true }))
	mkdirSync(join(directory, 'config'))
	for (const name of names) {
		const [make = '', ...next] = block(name).split('\n')
		expect(['npm start', undefined]).toContain(next[0])
		execFileSync('sh', ['-c', make], { cwd: directory })
	}
	return Object.fromEntries(
		Object.entries(parseEnv(readFileSync(join(directory, 'config/.env'), 'utf8'))).map(([name, value = '']) => [
			name,
			value,
		]),
	)
}

/** What the simulator prints until these words, with the block's command, this gateway, and this port for the API. */
async function simulated(name: string, url: string, port: string, until: string): Promise<string> {
	const command = block(name).replace('http://127.0.0.1:8787', url).replace('8790', port)
	const [npm, run, script, dashes, ...args] = command.split(' ')
	expect([npm, run, script, dashes]).toEqual(['npm', 'run', 'simulate', '--'])
	const file = fileURLToPath(new URL('../src/node/main.ts', import.meta.url))
	const child = spawn(process.execPath, [file, 'simulate', ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
	let printed = ''
	child.stdout.on('data', (chunk) => (printed += chunk))
	try {
		await expect.poll(() => printed, { timeout: 25_000 }).toContain(until)
	} finally {
		await stop(child)
	}
	return printed
}

/** The backend as the README writes it, on a port that is free. */
async function startBackend(code: string, env: { [name: string]: string } = {}): Promise<string> {
	const directory = await mkdtemp(join(tmpdir(), 'dragoman-readme-'))
	running.push(() => rm(directory, { recursive: true }))
	await symlink(fileURLToPath(new URL('../node_modules', import.meta.url)), join(directory, 'node_modules'))
	const file = join(directory, 'backend.mjs')
	return startProgram((port) => {
		writeFileSync(file, code.replace('9000', `${port}`))
		return { command: [process.execPath, file], env }
	})
}

function stop(child: ChildProcess): Promise<unknown> {
	const ended = new Promise((done) => child.once('exit', done))
	return child.kill() ? ended : Promise.resolve()
}
