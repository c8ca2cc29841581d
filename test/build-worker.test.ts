/** What `npm run build:worker` refuses in the configuration that it would bundle, and what it bundles for it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { checkWorkerConfig, configFileOf, partsOf } from '../scripts/check-worker-config.ts'
import { wranglerToml } from '../scripts/check-wrangler.ts'
import { bundleWorker } from '../scripts/worker-bundle.ts'

function newFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-build-'))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	return folder
}

function fileWith(config: object): string {
	const file = join(newFolder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	return file
}

const open = { name: 'in', path: '/in', platform: 'canonical' }
const route = { ...open, secrets: [{ env: 'ROUTE_TOKEN' }] }
const upstream = { url: 'https://backend.example/', sign: [{ env: 'BACKEND_KEY' }] }

const onePlatform = fileURLToPath(new URL('../config/one-platform.json', import.meta.url))

test('the configuration that wrangler.toml names may be built in, and so may the one with one platform', async () => {
	for (const file of [configFileOf(wranglerToml()), onePlatform]) expect(await checkWorkerConfig(file, {})).toEqual([])
})

test('secrets may be missing at build time, because they are set after the deployment', async () => {
	const outbox = { file: 'outbox.db', key: { env: 'OUTBOX_KEY' } }
	expect(await checkWorkerConfig(fileWith({ upstream, routes: [route], outbox }), {})).toEqual([])
})

test('a secret that is set must be valid', async () => {
	const mistakes = await checkWorkerConfig(fileWith({ upstream, routes: [route] }), { BACKEND_KEY: 'short' })
	expect(mistakes).toEqual([expect.stringMatching(/^upstream\.sign\[0\]\.env: /)])
})

test('the build fails on a wrong configuration and lists every other mistake at once', async () => {
	const { secrets, ...open } = route
	const routes = [
		{ ...route, colour: 'red' },
		{ ...open, name: 'other', path: '/other' },
	]
	const build = fileURLToPath(new URL('../scripts/build-worker.ts', import.meta.url))
	const env = { ...process.env, DRAGOMAN_CONFIG: fileWith({ upstream, routes }) }
	const failed = await promisify(execFile)(process.execPath, [build], { env }).catch((thrown: unknown) => thrown)
	expect(failed).toMatchObject({ code: 1, stdout: '' })
	const lines = String(failed instanceof Error && 'stderr' in failed && failed.stderr)
		.trim()
		.split('\n')
	expect(lines).toEqual([
		expect.stringContaining('configuration: routes[0].colour: '),
		expect.stringContaining('configuration: routes[1].secrets: '),
	])
})

const namesOf = async (config: object) => (await partsOf(fileWith(config))).adapters.map(({ name }) => name)

test('the adapters of platforms and of upstreams are bundled, and the default of upstreams is', async () => {
	expect(await namesOf({ upstream, routes: [{ ...route, platform: 'botdistrikt' }] })).toEqual([
		'canonical',
		'botdistrikt',
	])
	expect(
		await namesOf({
			upstream: { ...upstream, adapter: 'chatbot-v2' },
			routes: [
				{ ...route, platform: ['chatbot-v1', 'chatbot-v2'] },
				{ ...route, platform: 'pingstreams', upstream: { ...upstream, adapter: 'snatchbot-json-api' } },
			],
		}),
	).toEqual(['canonical', 'chatbot-v1', 'chatbot-v2', 'snatchbot-json-api', 'pingstreams'])
	expect((await partsOf(configFileOf(wranglerToml()))).adapters.length).toBe(adapters.length)
})

test('a bundle contains the adapters that it is given, and no others', async () => {
	const some = await partsOf(onePlatform)
	const { code } = await bundleWorker(join(newFolder(), 'build'), onePlatform, some)
	const contained = adapters.filter(({ name }) => new RegExp(`\\bname:["'\`]${name}["'\`],options`).test(code))
	expect(contained.map(({ name }) => name)).toEqual(some.adapters.map(({ name }) => name))
})

test('a bundle can make URLs for replies where the configuration has them, and is smaller elsewhere', async () => {
	const replyUrl = { publicUrl: 'https://bots.example', replyUrl: { keys: [{ env: 'REPLY_KEY' }] } }
	const bundleOf = async (config: object) => {
		const file = fileWith({ upstream, routes: [route], ...config })
		return bundleWorker(join(newFolder(), 'build'), file, await partsOf(file))
	}
	const [plain, sealing] = await Promise.all([bundleOf({}), bundleOf(replyUrl)])
	expect(sealing.code).toContain('A256GCM')
	expect(plain.code).not.toContain('A256GCM')
	expect(sealing.gzip - plain.gzip).toBeGreaterThan(7000)
})

test('an adapter that the configuration loads is bundled from its own file', async () => {
	const canonical = fileURLToPath(new URL('../adapters/canonical/index.ts', import.meta.url))
	const config = fileWith({ adapters: ['./mine.ts'], upstream, routes: [{ ...open, open: true, platform: 'mine' }] })
	const source = `import { canonical } from ${JSON.stringify(canonical)}\nexport const mine = { ...canonical, name: 'mine' }`
	writeFileSync(join(dirname(config), 'mine.ts'), source)
	expect(await checkWorkerConfig(config, {})).toEqual([])
	const needed = await partsOf(config)
	expect(needed.adapters.map(({ name }) => name)).toEqual(['canonical', 'mine'])
	const { code } = await bundleWorker(join(newFolder(), 'build'), config, needed)
	expect(code).toMatch(/name:["'`]mine["'`]/)
})
