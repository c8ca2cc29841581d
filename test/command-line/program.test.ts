/** The program `dragoman`: its help, its version, what it says to mistakes, and what its commands have in common. */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { commands } from '../../src/node/commands/index.ts'
import { readInvocation, startsGateway } from '../../src/node/invocation.ts'
import { dragoman } from '../harness/command.ts'
import { call, start } from '../servers.ts'
import { folderWith, inside } from './run.ts'

const version = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version

test('it lists its commands, and prints its version', async () => {
	const [help, told] = await Promise.all([dragoman(['--help']), dragoman(['-v'])])
	expect([help.code, help.err]).toEqual([0, ''])
	for (const { name, summary } of commands) expect(help.out).toMatch(RegExp(`^ {2}${name} +${escaped(summary)}$`, 'm'))
	expect(help.out).toContain('\n  npm run -s dragoman -- init\n')
	expect(told).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

const escaped = (text: string) => text.replaceAll(/[()]/g, '\\$&')

test.each<[readonly string[], number, string]>([
	[['strat'], 64, 'Unknown command "strat"; did you mean "start"?'],
	[['gateway.json'], 64, 'To start with another configuration: npm run -s dragoman -- --config gateway.json'],
	[['start', '--wach'], 64, 'Unknown option --wach; did you mean "--watch"?'],
	[['start', 'now'], 64, 'Unexpected argument "now".'],
	[['--wach'], 64, 'Run "npm run -s dragoman -- start --help" for help.'],
	[['start', '--config'], 64, '--config requires the path'],
	[
		['--config', '/nothing/here.json'],
		78,
		'/nothing/here.json does not exist. Make one with "npm run -s dragoman -- init"',
	],
])('%j ends with %i: %s', async (args, code, why) => {
	const ended = await inside(args)
	expect([ended.code, ended.out]).toEqual([code, ''])
	expect(ended.err).toContain(why)
})

test('it tells who forgets -- behind npm run to put it there', async () => {
	vi.stubEnv('npm_lifecycle_event', 'simulate')
	vi.stubEnv('npm_config_url', 'http://127.0.0.1:9/')
	onTestFinished(() => void vi.unstubAllEnvs())
	const { code, err } = await inside(['simulate', 'canonical', 'http://127.0.0.1:9/'])
	expect([code, err]).toEqual([2, expect.stringContaining('npm run simulate -- …')])
})

test.each(commands.map(({ name }) => name))('%s explains itself', async (name) => {
	const { code, out } = await inside([name, '--help'])
	expect(code).toBe(0)
	expect(out).toContain(`Usage: dragoman ${name} `)
	expect(out).toContain('Exit codes: 0 ')
	for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
})

test('a command comes before its options; --config may be anywhere', () => {
	expect(readInvocation([])).toEqual({ args: [] })
	expect(readInvocation(['--config', 'a.json'])).toEqual({ args: [], config: 'a.json' })
	expect(readInvocation(['--config=a.json', 'outbox', 'list'])).toMatchObject({ command: 'outbox', config: 'a.json' })
	expect(readInvocation(['check', '--json', '--config', 'a'])).toEqual({
		command: 'check',
		args: ['--json'],
		config: 'a',
	})
	expect(readInvocation(['--watch'])).toEqual({ args: ['--watch'] })
	expect(readInvocation(['replay', '--', '--config'])).toMatchObject({ args: ['--', '--config'] })
})

test('the start loads no other command', () => {
	const files = new Set<string>()
	const follow = (file: string): void => {
		if (files.has(file)) return
		files.add(file)
		const source = readFileSync(file, 'utf8')
		// Without the imports of types, which are erased, and those that wait until they are needed.
		for (const [, specifier = ''] of source.matchAll(
			/^(?:import|export) (?!type )[^;]*?from '(\.[^']*)'|^import '(\.[^']*)'/gm,
		)) {
			if (specifier.endsWith('.ts')) follow(join(dirname(file), specifier))
		}
	}
	const node = fileURLToPath(new URL('../../src/node/', import.meta.url))
	follow(join(node, 'command-line.ts'))
	follow(join(node, 'commands/start.ts'))
	const loaded = [...files].map((file) => relative(node, file))
	expect(loaded).toContain('serve.ts')
	const others =
		/^(?:commands\/(?!command|define-command|help|index|start|usage-error)|simulate|connections|outbox\/outbox-command|terminal-log|\.\.\/playground)/
	expect(loaded.filter((file) => others.test(file))).toEqual([])
})

test('only a start outlives its terminal', () => {
	const starts = (...argv: string[]) => startsGateway(readInvocation(argv))
	expect([starts(), starts('start'), starts('--watch'), starts('--config', 'a')]).toEqual([true, true, true, true])
	expect([starts('--help'), starts('start', '-h'), starts('-v'), starts('outbox')]).toEqual([
		false,
		false,
		false,
		false,
	])
})

describe('the file .env beside the configuration', () => {
	const config = {
		upstream: { url: 'builtin:demo' },
		routes: [{ name: 'own', path: '/own', platform: 'canonical', secrets: [{ env: 'OWN_SECRET' }] }],
	}
	const files = (dotenv: string) => {
		const { path, remove } = folderWith({ 'gateway.json': config, '.env': dotenv })
		onTestFinished(remove)
		return { path, env: { DRAGOMAN_CONFIG: join(path, 'gateway.json') } }
	}

	test('is read, and variables that are set win', async () => {
		const { env } = files('export OWN_SECRET="from-the-file-of-secrets"\nPORT=1\n')
		const { url, written } = await start(undefined, { env })
		const file = env.DRAGOMAN_CONFIG.replace('gateway.json', '.env')
		await expect.poll(written).toContain(`Read ${file}, for variables that were not set.`)
		expect(written()).not.toContain('from-the-file')
		expect((await call(`${url}/own/from-the-file-of-secrets`)).status).toBe(200)
		const other = await start(undefined, { env: { ...env, OWN_SECRET: 'from-the-environment' } })
		expect((await call(`${other.url}/own/from-the-environment`)).status).toBe(200)
	})

	test('is read again with the configuration, which --watch does when they change', async () => {
		const { path, env } = files('OWN_SECRET=the-first-of-the-secrets')
		const { url, lines } = await start(undefined, { env, args: ['start', '--watch'] })
		writeFileSync(join(path, '.env'), 'OWN_SECRET=the-second-of-the-secrets')
		await expect.poll(() => call(`${url}/own/the-second-of-the-secrets`).then(({ status }) => status)).toBe(200)
		writeFileSync(join(path, 'gateway.json'), '{')
		await expect.poll(() => lines.at(-1)).toMatchObject({ level: 'error', msg: 'reload' })
	})
})
