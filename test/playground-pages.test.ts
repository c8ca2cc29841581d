/** The pages of the playground in a real browser. */

import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { simulatedApi } from '../adapters/pingstreams/simulated-api/index.ts'
import { bundlePlayground } from '../scripts/playground-bundle.ts'
import { type PlaygroundServer, servePlayground } from '../src/node/playground-server.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import { createLive, createPushes, type Live } from '../src/playground/index.ts'
import { launch, visit } from './harness/browser.ts'
import { has } from './tools.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe.skipIf(!has('chromium'))('in Chromium', () => {
	let folder: string
	let server: PlaygroundServer
	let browser: Browser
	let gateway: Gateway
	let live: Live

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'dragoman-playground-'))
		await bundlePlayground(folder)
		const routes = adapters.map(({ name, examples: [options] }) => ({
			name,
			path: `/${name}`,
			platform: name,
			options,
		}))
		live = createLive(Date.now)
		gateway = await serve({
			config: { upstream: { url: 'builtin:demo' }, routes },
			adapters,
			observer: live.observer,
			log() {},
		})
		server = await servePlayground({
			host: '127.0.0.1',
			port: 0,
			password: undefined,
			gateway,
			live,
			pushes: createPushes(new Map([['pingstreams', simulatedApi()]])),
			files: folder,
		})
		browser = await launch()
	}, 120_000)

	afterAll(async () => {
		await browser?.close()
		await server?.close()
		await gateway?.close()
		await rm(folder, { recursive: true, force: true })
	})

	/** Runs on a page, on which nothing may go wrong meanwhile. */
	async function on(path: string, use: (page: Page) => Promise<void>): Promise<void> {
		const { page, complaints, strangers, close } = await visit(browser, `${server.url}${path}`)
		try {
			await use(page)
			expect(complaints).toEqual([])
			expect(strangers).toEqual([])
		} finally {
			await close()
		}
	}

	/** Replaces the document, as by the clipboard. */
	async function write(page: Page, text: string, into = '#editor .cm-content'): Promise<void> {
		const content = page.locator(into)
		await content.focus()
		await page.keyboard.press('Control+A')
		await content.evaluate((element, text) => {
			const clipboardData = new DataTransfer()
			clipboardData.setData('text/plain', text)
			element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
		}, text)
	}

	const reply = (text: string) => JSON.stringify({ messages: [{ type: 'text', text }] }, null, 2)

	test('one reply is shown on every platform, the worst loss first', async () => {
		await on('/preview', async (page) => {
			const names = page.locator('.platform h2')
			await expect.poll(() => names.count()).toBe(adapters.length)
			expect((await names.allTextContents()).sort()).toEqual(adapters.map(({ name }) => name).sort())
			const summaries = await page.locator('.platform .summary').allTextContents()
			const losing = summaries.map((words) => / lost| cut/.test(words))
			expect(losing).toEqual(losing.toSorted((a, b) => Number(b) - Number(a)))
			expect(summaries.at(-1)).toBe('exactly as written')
		})
	})

	test('what is written is shown at once, with its limits, what became of it, and the wire', async () => {
		await on('/preview', async (page) => {
			const choices = [{ title: 'A title of more than twenty characters', value: 'x' }]
			await write(page, JSON.stringify({ messages: [{ type: 'choices', text: 'Pick', choices }] }))
			const cut = page.locator('.platform', { has: page.locator('.deed-shortened') }).first()
			await cut.waitFor()
			expect(await cut.locator('.use').allTextContents()).toContain('20 of 20 characters')
			expect(await cut.locator('.chat mark').allTextContents()).toContain('A title of more tha…')
			await cut.getByText('On the wire').click()
			expect(await cut.locator('.wire pre').textContent()).toContain('Pick')
			// From the words to the place in the document, by keyboard.
			await cut.locator('.changes .path').first().focus()
			await page.keyboard.press('Enter')
			expect(await page.locator('#editor .cm-content').evaluate((element) => element.matches(':focus'))).toBe(true)
		})
	})

	test('a platform is shown with other options of its adapter', async () => {
		await on('/preview', async (page) => {
			const platform = page.locator('.platform', { has: page.getByRole('heading', { name: 'pingstreams' }) })
			expect(await platform.locator('.via').textContent()).toBe('in the answer to the call')
			await page
				.getByLabel('Options of pingstreams')
				.selectOption({ label: '{"dialect":"subscription","proof":"hook-secret"}' })
			await expect.poll(() => platform.locator('.via').textContent()).toContain('the user sees nothing')
			await write(page, reply('Still with these options'))
			await page.getByText('Still with these options').first().waitFor()
			expect(await platform.locator('.via').textContent()).toContain('the user sees nothing')
			await page.getByLabel('Options of pingstreams').selectOption({ label: 'default options' })
			await platform.locator('.chat').getByText('Still with these options').waitFor()
		})
	})

	test('all mistakes are named at their place, and the last valid reply stays', async () => {
		await on('/preview', async (page) => {
			await write(page, reply('Still here'))
			await page.getByText('Still here').first().waitFor()
			await write(page, '{\n  "messages": [\n    { "type": "text", "txt": "Hi" },\n    { "type": "image" }\n  ]\n}')
			await page.getByText('3 mistakes').waitFor()
			expect(await page.locator('.mistakes .path').allTextContents()).toEqual([
				'messages[0].text',
				'messages[0].txt',
				'messages[1].url',
			])
			const notes = page.locator('#editor .cm-line', { has: page.locator('.cm-note') })
			expect(await notes.allTextContents()).toEqual([
				expect.stringContaining('did you mean "text"?'),
				expect.stringContaining('missing'),
			])
			expect(await page.getByText('Still here').first().isVisible()).toBe(true)
			await write(page, '{ "messages": [')
			await page.getByText('1 mistake').waitFor()
		})
	})

	test('the editor offers the names and values of a reply', async () => {
		await on('/preview', async (page) => {
			await write(page, '{"messages":[{"type":""}]}')
			await page.keyboard.press('End')
			for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowLeft')
			await page.keyboard.press('Control+Space')
			await page.locator('.cm-tooltip-autocomplete').getByText('choices').click()
			expect(await page.locator('#editor .cm-content').textContent()).toContain('{"type":"choices"}')
		})
	})

	test('a link holds the reply, compressed', async () => {
		await on('/preview', async (page) => {
			await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
			const text = reply('Shared words '.repeat(200))
			await write(page, text)
			await page.getByText('Copy link').click()
			await page.getByText('Copied').waitFor()
			const link = await page.evaluate(() => navigator.clipboard.readText())
			expect(link.length).toBeLessThan(text.length / 4)
			await page.goto('about:blank')
			await page.goto(link)
			await page.locator('.platform').getByText('Shared words').first().waitFor()
		})
	})

	test('hostile words are shown as words', async () => {
		await on('/preview', async (page) => {
			const words = [
				'<img src=x onerror="window.harmed=1">',
				'<script>window.harmed=1</script>',
				'"><svg onload=window.harmed=1>',
				"javascript:window.harmed=1//'",
				'{{constructor.constructor("window.harmed=1")()}}',
			]
			const cards = words.map((title) => ({
				title,
				subtitle: title,
				imageUrl: `https://example.com/?${title}`,
				buttons: [{ type: 'postback', title, value: title }],
			}))
			const messages = [...words.map((text) => ({ type: 'text', text })), { type: 'cards', cards }]
			const attributes = { session: { '<b>key</b>': words }, user: {} }
			await write(page, JSON.stringify({ messages, attributes }))
			await page
				.locator('.platform')
				.getByText(words[0] ?? '')
				.first()
				.waitFor()
			for (const drawer of await page.getByText('On the wire').all()) await drawer.click()
			expect(await page.locator('.wall :is(img, script, svg, iframe, b)').count()).toBe(0)
			await page.waitForTimeout(100)
			expect(await page.evaluate(() => 'harmed' in window)).toBe(false)
		})
	})

	test('one bot talks on every platform at once, and its choices can be pressed', async () => {
		await on('/', async (page) => {
			await page.getByLabel('What the user says on all platforms').fill('choices')
			await page.keyboard.press('Enter')
			const press = page.locator('.log button.choice', { hasText: 'Green' })
			await expect.poll(() => press.count()).toBeGreaterThan(3)
			await expect.poll(() => page.locator('.typing').count()).toBe(0)
			const offering = page.locator('.platform', { has: press })
			const count = await offering.count()
			for (let i = 0; i < count; i++) await offering.nth(i).locator('button.choice', { hasText: 'Green' }).click()
			const said = page.locator('.log .bubble')
			await expect.poll(() => said.filter({ hasText: 'You chose Green.' }).count()).toBe(count)
			// In one of them alone.
			const line = page.locator('.line input').last()
			await line.fill('<b>only here</b>')
			await line.press('Enter')
			await said.filter({ hasText: 'You said: <b>only here</b>' }).waitFor()
			expect(await said.filter({ hasText: 'You said:' }).count()).toBe(1)
			await page.getByText('New conversations').click()
			await expect.poll(() => page.locator('.bubble').count()).toBe(0)
		})
	})

	test('what is pushed is shown at once, in its conversation, and its choices can be pressed', async () => {
		const outbox = await mkdtemp(join(tmpdir(), 'dragoman-outbox-'))
		const configOf = (api: string) => ({
			upstream: { url: 'builtin:demo' },
			outbox: { file: join(outbox, 'outbox.db') },
			routes: [{ name: 'pushing', path: '/pushing', platform: 'pingstreams', options: { dialect: 'external', api } }],
		})
		const pushing = await serve({ config: configOf('http://127.0.0.1:1'), adapters, log() {} })
		const pushes = createPushes(new Map([['pingstreams', simulatedApi()]]))
		const own = await servePlayground({
			...{ host: '127.0.0.1', port: 0, password: undefined, gateway: pushing, live, pushes, files: folder },
		})
		pushing.reload(configOf(`${own.url}/platforms/pingstreams`))
		const { page, complaints, strangers, close } = await visit(browser, own.url)
		try {
			await page.getByLabel('What the user says on all platforms').fill('choices')
			await page.keyboard.press('Enter')
			await page.getByText('Pushed by the API of the platform').waitFor()
			await page.locator('.log button.choice', { hasText: 'Green' }).click()
			await page.locator('.log .bubble', { hasText: 'You chose Green.' }).waitFor()
			await page.getByLabel('What the user says on all platforms').fill('<img src=x onerror=alert(1)>')
			await page.keyboard.press('Enter')
			await page.locator('.log .bubble', { hasText: 'You said: <img src=x' }).waitFor()
			expect(await page.locator('.log img').count()).toBe(0)
			expect(complaints).toEqual([])
			expect(strangers).toEqual([])
		} finally {
			await close()
			await own.close()
			await pushing.close()
			await rm(outbox, { recursive: true })
		}
	})

	test('one event, or one call of a platform, is shown as the upstream of every format gets it', async () => {
		await on('/events', async (page) => {
			await expect.poll(() => page.locator('.platform').count()).toBe(adapters.length)
			await write(page, JSON.stringify({ kind: 'message', text: 'Where is it?', media: [] }, null, 2))
			await page.locator('.mistakes .path', { hasText: 'media' }).waitFor()
			for (const { name } of adapters) {
				await page.locator('#kind').selectOption(name)
				await page.getByText('No mistakes').waitFor()
				expect(await page.locator('.platform', { hasText: name }).locator('.wire-text').first().textContent()).not.toBe(
					'',
				)
			}
			await page.locator('#kind').selectOption('canonical')
			await write(page, JSON.stringify({ json: { event: { kind: 'message', text: 'From a call' } } }))
			await page.locator('.wire-text').getByText('From a call').first().waitFor()
			await write(page, JSON.stringify({ json: { event: { kind: 'massage' } } }))
			await page.locator('.mistakes .path', { hasText: 'json.event.kind' }).waitFor()
		})
	})

	test('turns are shown as they happen, and can be sent again', async () => {
		const say = (text: string) =>
			fetch(`${gateway.url}/canonical`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', connection: 'close' },
				body: JSON.stringify({ event: { kind: 'message', id: `id of ${text}`, text, conversation: 'c-live' } }),
			})
		await on('/live', async (page) => {
			const rows = page.locator('.row')
			await say('<img src=x onerror=alert(1)>')
			const row = rows.filter({ hasText: '<img src=x' })
			await row.click()
			const detail = page.locator('#detail')
			await detail.getByText('Upstream’s reply').waitFor()
			expect(await detail.locator('.column h3').allTextContents()).toEqual([
				'Platform’s call',
				'Event',
				'Upstream’s reply',
				'Platform’s answer',
			])
			expect(await detail.locator('.column').last().textContent()).toContain('You said: <img src=x')
			expect(await page.locator('.live :is(img, script)').count()).toBe(0)

			// Paused, the list stays as it is.
			await page.getByText('Pause').click()
			await say('while it is paused')
			await page.getByText('1 waiting').waitFor()
			expect(await rows.filter({ hasText: 'while it is paused' }).count()).toBe(0)
			await page.getByText('Go on').click()
			await rows.filter({ hasText: 'while it is paused' }).waitFor()

			await page.getByText('Replay with edit').click()
			const event = { kind: 'message', text: 'once more', conversation: 'c-live', attributes: {} }
			await write(page, JSON.stringify(event), '.edit .cm-content')
			await page.getByText('Send', { exact: true }).click()
			await page.getByText('Sent; answered with 200.').waitFor()
			await rows.filter({ hasText: 'once more' }).waitFor()

			const [file] = await Promise.all([page.waitForEvent('download'), page.getByText('Save as fixture').click()])
			const saved = JSON.parse(readFileSync(await file.path(), 'utf8'))
			expect(saved).toMatchObject({ route: 'canonical', call: { json: { event: { text: 'words of the user' } } } })
			const [whole] = await Promise.all([page.waitForEvent('download'), page.getByText('Save with words').click()])
			const { call } = JSON.parse(readFileSync(await whole.path(), 'utf8'))
			expect(call.json.event.text).toBe('<img src=x onerror=alert(1)>')

			await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
			await page.getByText('Copy as curl').click()
			await page.getByText('Copied.').waitFor()
			expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`curl '${gateway.url}/canonical'`)
		})
	})

	test('ten thousand turns are a list of a few lines on the page, which filters all of them', async () => {
		for (let i = 1; i <= 10_000; i++) {
			const begun = { id: `t${i}`, route: 'many', upstream: 'y', method: 'POST', limit: 1000, at: 0, trace: undefined }
			const turn = live.observer.turn?.(begun)
			turn?.step?.({ name: 'event', at: 1, show: () => ({ kind: 'message', text: `words-${i}`, attributes: {} }) })
			turn?.end?.({
				...{ at: 5, platform: 'many', kind: 'message', status: 200, error: undefined, duplicate: false, held: false },
				...{ recalled: 0, changes: [], moreChanges: 0, notes: [] },
			})
		}
		await on('/live', async (page) => {
			await page.getByText('10000 turns').waitFor()
			expect(await page.locator('.row').count()).toBeLessThan(100)
			expect(await page.locator('.row').first().textContent()).toContain('words-10000')
			await page.locator('.rows').focus()
			await page.keyboard.press('ArrowDown')
			await page.keyboard.press('ArrowDown')
			await expect.poll(() => page.locator('.row[aria-selected="true"]').textContent()).toContain('words-9999')
			await page.locator('.rows').evaluate((element) => element.scrollTo(0, element.scrollHeight))
			await page.locator('.said', { hasText: /^words-1$/ }).waitFor()
			await page.locator('#filter').fill('words-77 many')
			await page.getByText('111 turns, of 10000').waitFor()
		})
	})

	test('the contract of each route is rendered, and that of any backend', async () => {
		await on('/contract', async (page) => {
			const shown = (name: string) => page.getByRole('heading', { name: `The route ${name}` })
			const choose = (label: string) => page.locator('#route').selectOption(label)
			await page.getByText('Something happened on a platform.').first().waitFor()
			expect(await page.getByRole('heading', { name: 'The route' }).count()).toBe(0)
			for (const name of ['canonical', 'botdistrikt']) {
				await choose(`the route ${name}`)
				await shown(name).waitFor()
			}
			expect(await shown('canonical').count()).toBe(0)
			expect(await page.getByText('openapi.json').getAttribute('href')).toBe('/schema/routes/botdistrikt')
		})
	})

	test('the contract is rendered, and its files are there', async () => {
		await on('/contract', async (page) => {
			await page.getByText('Something happened on a platform.').first().waitFor()
			await page.getByText('The backend will never take this event').first().waitFor()
			const isDark = () => page.evaluate(() => document.body.classList.contains('dark-mode'))
			expect(await isDark()).toBe(false)
			await page.locator('#theme').click()
			await page.locator('#theme').click()
			await expect.poll(isDark).toBe(true)
			const files = page.getByLabel('The contract as files').getByRole('link')
			const statuses = files.evaluateAll((links) =>
				Promise.all(
					links.map(async (link) => [link.textContent, (await fetch(link.getAttribute('href') ?? '')).status]),
				),
			)
			expect(await statuses).toEqual([
				['openapi.json', 200],
				['request.schema.json', 200],
				['event.schema.json', 200],
				['turn.schema.json', 200],
				['reply.schema.json', 200],
			])
		})
	})

	test('the theme can be chosen, and stays', async () => {
		await on('/preview', async (page) => {
			const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
			const light = await colour()
			for (const name of ['light', 'dark']) {
				await page.locator('#theme').click()
				await page.getByText(`Theme: ${name}`).waitFor()
			}
			expect(await colour()).not.toBe(light)
			await page.reload()
			expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
		})
	})

	const looks = ['light', 'dark'] as const
	const widths = [1440, 390, 360]
	// The policy forbids to evaluate code, and so to bring axe in.
	const withAxe = { bypassCSP: true }

	/** What axe finds on a page, on a screen and on two phones, none of which may have to be scrolled sideways. */
	async function findings(page: Page): Promise<readonly Result[]> {
		await page.evaluate(axe)
		const all: Result[] = []
		for (const width of widths) {
			await page.setViewportSize({ width, height: 900 })
			const found: Result[] = await page.evaluate('axe.run().then(({ violations }) => violations)')
			all.push(...found.map((each) => ({ ...each, help: `${each.help}, ${width} pixels wide` })))
			const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
			expect(tooWide, `${width} pixels wide`).toBeLessThanOrEqual(0)
		}
		return all
	}

	const inWords = (found: readonly Result[]) =>
		found.map(({ id, help, nodes }) => ({ id, help, where: nodes.slice(0, 3).map(({ html }) => html) }))

	test.each(looks)('axe finds nothing serious in the contract: %s', { timeout: 60_000 }, async (colorScheme) => {
		const { page, close } = await visit(browser, `${server.url}/contract`, { colorScheme, ...withAxe })
		await page.getByText('Something happened on a platform.').first().waitFor()
		const found = await findings(page)
		// Scalar draws it, with a header of its own on a phone.
		expect(inWords(found.filter(({ impact }) => impact === 'serious' || impact === 'critical'))).toEqual([])
		await close()
	})

	const pages = ['/', '/preview', '/live', '/events']
	const cases = looks.flatMap((look) => pages.map((path) => [look, path] as const))
	test.each(cases)('axe finds nothing: %s, %s', { timeout: 60_000 }, async (colorScheme, path) => {
		await fetch(`${gateway.url}/canonical`, { method: 'POST', headers: { connection: 'close' }, body: '{' })
		const { page, close } = await visit(browser, `${server.url}${path}`, { colorScheme, ...withAxe })
		await page.locator('.platform, .row').first().waitFor()
		if (path === '/live') await page.locator('.row').first().click()
		expect(inWords(await findings(page))).toEqual([])
		await close()
	})
})
