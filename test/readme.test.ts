/** Walks the README from the first call to a signed one: its commands, its configuration and its backend are what runs. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { type Gateway, serve } from '../src/node/serve.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const readme = read('../README.md')

/** The block of code behind the mark of that name. */
function block(name: string): string {
	const [, code] = new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w+\n(.*?)\n\`\`\``, 's').exec(readme) ?? []
	if (code === undefined) throw new Error(`README.md has no block "${name}"`)
	return code
}

const config = JSON.parse(read('../config/gateway.json'))
const body = /-d '(.*)'$/s.exec(block('call'))?.[1] ?? ''
const running: (() => unknown)[] = []

afterEach(async () => {
	for (const stop of running.splice(0)) await stop()
})

async function start(changed: object, env: { [name: string]: string } = {}): Promise<Gateway> {
	const gateway = await serve({ config: { ...config, ...changed }, adapters, env, log() {} })
	running.push(() => gateway.close())
	return gateway
}

function call(url: string, query = ''): Promise<Response> {
	return fetch(`${url}/chatbot${query}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

test('the first call is answered as the README shows', async () => {
	expect(block('call')).toContain('http://127.0.0.1:8787/chatbot')
	const { url } = await start({})
	expect(await (await call(url)).json()).toEqual(JSON.parse(block('answer')))
})

test('its backend answers through the gateway, behind a secret, and checks the signature', async () => {
	const port = await freePort()
	const env = { CHATBOT_TOKEN: '0123456789abcdef', BACKEND_KEY: `whsec_${btoa('0123456789abcdef01234567')}` }
	await startBackend(port, env)
	const [route, ...others] = config.routes
	const { url } = await start(
		{
			upstream: { ...JSON.parse(block('upstream').replace('9000', `${port}`)), sign: JSON.parse(block('sign')) },
			routes: [{ ...route, secrets: JSON.parse(block('secrets')) }, ...others],
		},
		env,
	)
	expect((await call(url)).status).toBe(404)
	const answer = await call(url, `?token=${env.CHATBOT_TOKEN}`)
	expect(await answer.json()).toMatchObject({
		responses: [{ type: 'text', message: 'Good day, Ada!' }],
		attributes: { greeted: 'yes' },
	})
})

async function startBackend(port: number, env: { [name: string]: string }): Promise<void> {
	const [library = '', check = ''] = block('verify').split('\n')
	const source = block('backend')
		.replace('9000', `${port}`)
		.replace('\tconst { event', `\t${check}\n\tconst { event`)
		.replace('import', `${library.replace('standardwebhooks', import.meta.resolve('standardwebhooks'))}\nimport`)
	expect(source).toContain('.verify(')
	const directory = await mkdtemp(join(tmpdir(), 'dragoman-readme-'))
	await writeFile(join(directory, 'backend.mjs'), source)
	const backend = spawn(process.execPath, [join(directory, 'backend.mjs')], { env, stdio: 'ignore' })
	running.push(() => stop(backend).then(() => rm(directory, { recursive: true })))
	await expect.poll(() => reaches(port), { timeout: 10_000 }).toBe(true)
}

function stop(child: ChildProcess): Promise<unknown> {
	const ended = new Promise((done) => child.once('exit', done))
	return child.kill() ? ended : Promise.resolve()
}

/** Whether somebody listens there. */
function reaches(port: number): Promise<boolean> {
	return new Promise((done) => {
		const socket = connect(port, '127.0.0.1', () => done(true)).on('error', () => done(false))
		socket.on('connect', () => socket.destroy())
	})
}

function freePort(): Promise<number> {
	return new Promise((found) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const address = server.address()
			server.close(() => found(typeof address === 'object' && address ? address.port : 0))
		})
	})
}
