/** Takes the screenshots of the playground for the documents: `npm run screenshots`. Needs Chromium. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { adapters } from '../adapters/index.ts'
import { servePlayground } from '../src/node/playground-server.ts'
import { serve } from '../src/node/serve.ts'
import { createLive, createPushes } from '../src/playground/index.ts'
import { launch } from '../test/harness/browser.ts'
import { bundlePlayground } from './playground-bundle.ts'

const into = fileURLToPath(new URL('../docs/images', import.meta.url))

/** The pages, and what is done on each before the picture is taken. */
const shots: readonly { readonly name: string; readonly path: string; prepare(page: Page): Promise<void> }[] = [
	{
		name: 'talk',
		path: '/',
		async prepare(page) {
			for (const word of ['cards', 'choices']) {
				await page.getByRole('button', { name: word, exact: true }).click()
				await page.locator('.typing').first().waitFor({ state: 'detached' })
			}
		},
	},
	{ name: 'preview', path: '/preview', prepare: (page) => page.locator('.platform').first().waitFor() },
	{
		name: 'live',
		path: '/live',
		async prepare(page) {
			await page
				.locator('.row', { has: page.locator('.losses.some') })
				.last()
				.click()
			await page.locator('.column').first().waitFor()
		},
	},
]

const files = await mkdtemp(join(tmpdir(), 'dragoman-playground-'))
await bundlePlayground(files)
const live = createLive(Date.now)
const routes = adapters.map(({ name, examples: [options] }) => ({ name, path: `/${name}`, platform: name, options }))
const config = { upstream: { url: 'builtin:demo' }, routes }
const gateway = await serve({ config, adapters, observer: live.observer, log() {} })
const pushes = createPushes(new Map())
const playground = await servePlayground({
	host: '127.0.0.1',
	port: 0,
	password: undefined,
	gateway,
	live,
	pushes,
	files,
})
const browser = await launch()
try {
	for (const colorScheme of ['light', 'dark'] as const) {
		const context = await browser.newContext({ colorScheme, viewport: { width: 1360, height: 860 } })
		const page = await context.newPage()
		// The README shows one of them as its reader has it.
		for (const { name, path, prepare } of shots.filter(({ name }) => colorScheme === 'light' || name === 'preview')) {
			await page.goto(playground.url + path)
			await prepare(page)
			await page.mouse.move(0, 0)
			await page.screenshot({ path: join(into, `playground-${name}-${colorScheme}.png`) })
		}
		await context.close()
	}
} finally {
	await browser.close()
	await playground.close()
	await gateway.close()
	await rm(files, { recursive: true })
}
