/** Adapters of one's own that the configuration loads, as the program does it. */
import { expect, onTestFinished, test } from 'vitest'
import { dragoman } from '../harness/command.ts'
import { call, start } from '../servers.ts'
import { folderWith } from './run.ts'

const format = new URL('../../adapters/canonical/index.ts', import.meta.url).href
const ownJson = (name: string) => `import { canonical } from '${format}'
export const own = { ...canonical, name: '${name}' }`

const route = { name: 'own', path: '/own', platform: 'my-platform' }

test('a route can name an adapter of its own, beside the configuration', async () => {
	const { path, remove } = folderWith({
		'config/gateway.json': { upstream: { url: 'builtin:demo' }, adapters: ['../my-platform.ts'], routes: [route] },
		'my-platform.ts': ownJson('my-platform'),
	})
	onTestFinished(remove)
	const config = `${path}/config/gateway.json`
	const { url } = await start(undefined, { args: ['--config', config] })
	expect(await (await call(`${url}/own`)).json()).toMatchObject({ messages: [{ text: 'You said: Hi' }] })
	const { code, out } = await dragoman(['simulate', '--route', 'own', '--text', 'Hi', '--config', config], {
		env: { PORT: new URL(url).port },
	})
	expect([code, out]).toEqual([0, 'You said: Hi\n'])
})

test('what cannot be loaded is named with all other mistakes', async () => {
	const adapters = ['./gone.ts', './broken.ts', './empty.ts', './taken.ts', './throws.ts']
	const { path, remove } = folderWith({
		'gateway.json': {
			upstream: { url: 'builtin:demo', timeout: 0 },
			adapters,
			routes: [{ ...route, platform: 'canonical' }],
		},
		'broken.ts': 'export const = 1',
		'empty.ts': 'export const adapter = 1',
		'taken.ts': ownJson('canonical'),
		'throws.ts': 'throw new Error("not today")',
	})
	onTestFinished(remove)
	const { code, err } = await dragoman(['--config', `${path}/gateway.json`])
	expect(code).toBe(78)
	expect(err.split('\n')).toEqual([
		`The configuration ${path}/gateway.json has 6 mistakes.`,
		'  adapters[0]: ./gone.ts cannot be loaded: there is no such file',
		expect.stringMatching(/^ {2}adapters\[1\]: \.\/broken\.ts cannot be loaded: .+/),
		'  adapters[2]: ./empty.ts exports no adapter; make one with defineAdapter',
		'  adapters[3]: there is an adapter named "canonical" already; give this one another name',
		'  adapters[4]: ./throws.ts cannot be loaded: not today',
		'  upstream.timeout: must be at least 1',
		'',
	])
})

test('a package whose modules are CommonJS is told how to change that', async () => {
	const { path, remove } = folderWith({
		'package.json': { type: 'commonjs' },
		'gateway.json': { upstream: { url: 'builtin:demo' }, adapters: ['./my-platform.ts'], routes: [route] },
		'my-platform.ts': ownJson('my-platform'),
	})
	onTestFinished(remove)
	const { code, err } = await dragoman(['--config', `${path}/gateway.json`])
	expect(code).toBe(78)
	expect(err).toContain(
		'  adapters[0]: ./my-platform.ts cannot be loaded: it is read as CommonJS; set "type": "module" in its package.json\n',
	)
})
