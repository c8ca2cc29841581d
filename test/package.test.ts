/** The package as others get it: packed, installed into an empty folder without our tools, imported, type-checked, run. */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = join(root, 'node_modules/.bin')

let base: string
let home: string

beforeAll(async () => {
	base = await mkdtemp(join(tmpdir(), 'dragoman-package-'))
	home = join(base, 'consumer')
	await mkdir(home)
	await writeFile(join(home, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
	// Ends with a line of JSON, behind what the build prints.
	const packed = await run(root, 'npm', 'pack', '--pack-destination', base)
	const tarball = packed.trim().split('\n').at(-1) ?? ''
	const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', '--omit=peer']
	// A connection to the registry that stalls is tried again in time.
	const patiently = ['--prefer-offline', '--fetch-timeout=20000', '--fetch-retry-mintimeout=1000']
	await run(home, 'npm', 'install', ...quietly, ...patiently, join(base, tarball))
}, 300_000)

afterAll(() => rm(base, { recursive: true, force: true }))

/** Standard output of a program that ends by itself; rejects with all it said when it fails. */
function run(cwd: string, program: string, ...args: string[]): Promise<string> {
	return new Promise((done, failed) => {
		execFile(program, args, { cwd, env: environment(), timeout: 240_000 }, (error, stdout, stderr) => {
			if (error) failed(new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error }))
			else done(stdout)
		})
	})
}

/** Our environment, without what the npm that runs us says of this package. */
function environment(more: { [name: string]: string } = {}): NodeJS.ProcessEnv {
	const about = /^(npm_(package|lifecycle|command|config_(local_)?prefix)|INIT_CWD|NODE_|VITEST)/i
	const rest = Object.entries(process.env).filter(([name]) => !about.test(name))
	return {
		...Object.fromEntries(rest),
		...more,
		PATH: `${join(home, 'node_modules/.bin')}:${tools}:${process.env.PATH}`,
	}
}

const hello = { kind: 'message', text: 'hello', attributes: {} }

const testing = 'dragoman/testing'

test('every entry point can be imported without our tools, and exports what it promises', async () => {
	const entries = [
		'dragoman',
		'dragoman/adapters',
		'dragoman/node',
		'dragoman/config',
		'dragoman/format',
		'dragoman/chatbot',
		'dragoman/backend',
	]
	const script = `
		const names = {}
		for (const entry of ${JSON.stringify(entries)}) names[entry] = Object.keys(await import(entry))
		console.log(JSON.stringify(names))
	`
	const names = JSON.parse(await run(home, 'node', '--input-type=module', '-e', script))
	expect(names).toEqual({
		dragoman: expect.arrayContaining(['createApp', 'takeTurn', 'CanonicalEvent', 'fitReply', 'errors']),
		'dragoman/adapters': expect.arrayContaining(['adapters']),
		'dragoman/node': expect.arrayContaining(['serve']),
		'dragoman/config': expect.arrayContaining(['readConfig', 'Config']),
		'dragoman/chatbot': expect.arrayContaining(['createChatBotClient', 'ChatBotError', 'NewWebhook']),
		'dragoman/backend': expect.arrayContaining(['createBackend', 'isSigned', 'parseRequest', 'reply', 'choices']),
		'dragoman/format': expect.arrayContaining(['defineAdapter', 'GatewayError', 'validate']),
	})
	const manifest = JSON.parse(await readFile(join(home, 'node_modules/dragoman/package.json'), 'utf8'))
	const exported = Object.keys(manifest.exports).filter((path) => !path.endsWith('.json'))
	expect(exported.map((path) => path.replace(/^\./, 'dragoman')).toSorted()).toEqual([...entries, testing].toSorted())
})

test('the program and what others import share their code, so that an error thrown by an adapter is the same class', async () => {
	const dist = join(home, 'node_modules/dragoman/dist')
	const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.js'))
	const texts = await Promise.all(files.map((file) => readFile(join(dist, file), 'utf8')))
	expect(texts.filter((text) => text.includes('GatewayError = class')).length).toBe(1)
})

test('the declarations type-check in strict mode, and reject wrong code', async () => {
	const right = `
		import * as v from 'valibot'
		import { type CanonicalReply, createApp, type Runtime } from 'dragoman'
		import { defineAdapter, type Adapter } from 'dragoman/format'
		import { adapters } from 'dragoman/adapters'
		import { readConfig } from 'dragoman/config'
		import { serve } from 'dragoman/node'
		import { ChatBotError, createChatBotClient, type Webhook } from 'dragoman/chatbot'

		const reply: CanonicalReply = { messages: [{ type: 'text', text: 'Hi' }], attributes: { session: {}, user: {} } }
		export const app = (runtime: Runtime) => {
			const { routes } = readConfig({}, { adapters, env: {}, loopback: true })
			return createApp({ routes, runtime }).fetch
		}
		export const start = () => serve({ config: {}, adapters: [...adapters, own('own')], port: 0 })
		declare const adapter: Adapter
		const options = v.strictObject({})
		const own = (name: string) => defineAdapter({ name, options, examples: [{}], create: () => adapter })
		export const show = async (id: string): Promise<Webhook | undefined> => {
			try {
				return await createChatBotClient({ token: 'a', fetch }).show(id)
			} catch (thrown) {
				if (thrown instanceof ChatBotError && thrown.code === 'not-found') return undefined
				throw thrown
			}
		}
		console.log(reply)
	`
	const wrong = `
		import type { CanonicalReply } from 'dragoman'
		export const reply: CanonicalReply = { messages: [{ type: 'texts' }] }
	`
	const check = async (source: string) => {
		await writeFile(join(home, 'consumer.ts'), source)
		const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,webworker']
		return run(home, 'tsc', ...flags, '--skipLibCheck', '--types', '', 'consumer.ts')
	}
	await check(right)
	await expect(check(wrong)).rejects.toThrow(/'"texts"' is not assignable|TS2322|TS2741|TS2820/)
})

test('the declarations of the kit for backends type-check as a whole', async () => {
	const source = `
		import { choices, createBackend, reply } from 'dragoman/backend'
		export const backend = createBackend({
			keys: undefined,
			answer: ({ text }) => reply(['Hi', choices(text ?? '?', [{ title: 'A', value: 'a' }])], { session: { a: 1 } }),
		})
	`
	await writeFile(join(home, 'kit.ts'), source)
	const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024,webworker']
	await run(home, 'tsc', ...flags, '--types', '', 'kit.ts')
})

test('a new adapter is tested by the laws, with its own vitest and fast-check', async () => {
	await run(home, 'dragoman', 'new-adapter', 'own')
	for (const peer of ['vitest', 'fast-check']) {
		await symlink(join(root, 'node_modules', peer), join(home, 'node_modules', peer))
	}
	const said = await run(home, 'env', 'LAW_RUNS=5', 'vitest', 'run', '--root', home, '--no-color')
	expect(said).toMatch(/Tests +\d{2} passed/)
}, 60_000)

test.each(['.bin/dragoman', 'dragoman/dist/src/node/main.js'])(
	'%s on an old Node says which it needs',
	async (file) => {
		const program = join(home, 'node_modules', file)
		const as = (version: string) => {
			const preload = join(home, 'version.cjs')
			const versions = `{ ...process.versions, node: '${version}' }`
			return writeFile(preload, `Object.defineProperty(process, 'versions', { value: ${versions} })`).then(() =>
				run(home, 'node', '--require', preload, program, 'no-such-command'),
			)
		}
		for (const version of ['12.22.12', '20.20.2', '24.14.9']) {
			const sentence = `\n\nDragoman needs Node 24.15 or newer; this is ${version}.\n`
			await expect(as(version)).rejects.toThrow(
				expect.objectContaining({ message: expect.stringMatching(`${sentence}$`) }),
			)
		}
		for (const version of ['24.15.0', '24.100.0', '100.0.0']) {
			await expect(as(version)).rejects.toThrow('Unknown command')
		}
	},
)

test('its program writes commands as they were written: with npx or without', async () => {
	for (const program of [['dragoman'], ['npx', 'dragoman']]) {
		const [first = '', ...rest] = program
		const advice = `Run "${program.join(' ')} --help" for a list of commands.`
		await expect(run(home, first, ...rest, 'no-such-command')).rejects.toThrow(`\n${advice}`)
		expect(await run(home, first, ...rest, 'preview', '--help')).toContain(
			`\n  ${program.join(' ')} preview reply.json\n`,
		)
	}
})

test('in an empty folder, its program makes a configuration, checks it, starts with it, and ends on a signal', async () => {
	const own = ['--config', 'gateway.json']
	expect(await run(home, 'dragoman', 'init', ...own)).toContain('Wrote gateway.json: /canonical -> builtin:demo')
	const written = JSON.parse(await readFile(join(home, 'gateway.json'), 'utf8'))
	const schema = JSON.parse(await readFile(join(home, written.$schema), 'utf8'))
	expect(schema.title).toBe('The configuration of a Dragoman gateway')
	expect(JSON.parse(await run(home, 'dragoman', 'schema', 'gateway'))).toEqual(schema)
	expect(await run(home, 'dragoman', 'check', ...own)).toContain('gateway.json: 1 route, no mistakes')
	const program = spawn(join(home, 'node_modules/.bin/dragoman'), ['start', ...own], {
		cwd: home,
		env: environment({ HOST: '127.0.0.1', PORT: '0' }),
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	const ended = new Promise<number | null>((done) => program.once('exit', done))
	try {
		const url = await new Promise<string>((found, failed) => {
			let said = ''
			const hear = (chunk: Buffer) => {
				said += chunk
				const [, address] = /Listening on (http:\S+)/.exec(said) ?? []
				if (address) found(address)
			}
			program.stdout.on('data', hear)
			program.stderr.on('data', hear)
			ended.then((code) => failed(new Error(`ended with ${code} before it listened:\n${said}`)))
		})
		const answer = await fetch(`${url}/canonical`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ version: 1, event: hello }),
			signal: AbortSignal.timeout(10_000),
		})
		expect(answer.status).toBe(200)
		expect(await answer.json()).toMatchObject({ messages: [{ type: 'text', text: 'You said: hello' }] })
	} finally {
		program.kill('SIGTERM')
	}
	expect(await ended).toBe(0)
}, 40_000)

test('its playground has its pages, without our tools, and follows its configuration', async () => {
	const demo = (path: string) =>
		writeFile(
			join(home, 'dev.json'),
			JSON.stringify({ upstream: { url: 'builtin:demo' }, routes: [{ name: 'in', path, platform: 'canonical' }] }),
		)
	await demo('/first')
	const program = spawn(join(home, 'node_modules/.bin/dragoman'), ['dev', '--port', '0', '--config', 'dev.json'], {
		cwd: home,
		env: environment({ HOST: '127.0.0.1', PORT: '0' }),
		stdio: ['ignore', 'ignore', 'pipe'],
	})
	const ended = new Promise<number | null>((done) => program.once('exit', done))
	let said = ''
	program.stderr.on('data', (chunk: Buffer) => (said += chunk))
	try {
		await expect.poll(() => said, { timeout: 20_000 }).toMatch(/Gateway {5}http/)
		const [, url] = /Playground {2}(http:\S+)/.exec(said) ?? []
		for (const path of [
			'/',
			'/contract',
			'/assets/contract.js',
			'/schema/openapi.json',
			'/assets/preview.js',
			'/assets/playground.css',
			'/assets/licences.txt',
		]) {
			const answer = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(10_000) })
			expect([path, answer.status]).toEqual([path, 200])
			await answer.text()
		}
		const [, gateway] = /Gateway {5}(http:\S+)/.exec(said) ?? []
		await demo('/second')
		const healthy = async () => (await fetch(`${gateway}/second`, { method: 'POST', body: '{' })).status
		await expect.poll(healthy).toBe(400)
		await writeFile(join(home, 'dev.json'), '{')
		await expect
			.poll(() => said)
			.toContain('Changed: dev.json\nThe gateway goes on with the configuration that it had.')
		expect(await healthy()).toBe(400)
	} finally {
		program.kill('SIGTERM')
	}
	expect(await ended).toBe(0)
}, 40_000)

test('the links of the README lead to files of the package', async () => {
	const at = join(home, 'node_modules/dragoman')
	const links = [...(await readFile(join(at, 'README.md'), 'utf8')).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(
		([, to = '']) => to,
	)
	const ours = links.filter((link) => !/^[a-z]+:/.test(link))
	expect(ours).toContain('adapters/README.md')
	for (const link of ours) expect([link, existsSync(join(at, link))]).toEqual([link, true])
})
