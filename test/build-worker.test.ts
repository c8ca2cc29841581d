/** What `npm run build:worker` refuses in the configuration that it would bundle. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { checkWorkerConfig, configFileOf } from '../scripts/check-worker-config.ts'
import { wranglerToml } from '../scripts/check-wrangler.ts'

function fileWith(config: object): string {
	const folder = mkdtempSync(join(tmpdir(), 'dragoman-build-'))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	const file = join(folder, 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	return file
}

const open = { name: 'in', path: '/in', platform: 'canonical' }
const route = { ...open, secrets: [{ env: 'ROUTE_TOKEN' }] }
const upstream = { url: 'https://backend.example/', sign: [{ env: 'BACKEND_KEY' }] }

test('the configuration that wrangler.toml names may be built in', async () => {
	expect(await checkWorkerConfig(configFileOf(wranglerToml()), {})).toEqual([])
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
