/** Who may use the playground, and what its answers allow a page to do. */
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { simulatedApi } from '../adapters/pingstreams/simulated-api/index.ts'
import { readConfig } from '../src/config/index.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import { createLive, createPlayground, createPushes, type PlaygroundOptions } from '../src/playground/index.ts'
import { demo } from '../src/upstream/index.ts'

const assets = new Map([['a.js', { type: 'text/javascript', body: new TextEncoder().encode('1') }]])
const contract = new Map([['openapi.json', { type: 'application/json', body: new TextEncoder().encode('{}') }]])
const gateway: PlaygroundOptions['gateway'] = {
	url: 'http://127.0.0.1:1',
	routes: [],
	runtime: createRuntime(() => {}),
}
const live = createLive(() => 0)
const pushes = createPushes(new Map())
const open = {
	assets,
	contract,
	contractOf: async ({ name }: { name: string }) => ({ of: name }),
	gateway,
	live,
	pushes,
	hosts: ['127.0.0.1:8780', 'localhost:8780'],
	password: undefined,
}

async function ask(path: string, headers: { [name: string]: string } = {}, options: PlaygroundOptions = open) {
	const host = 'localhost:8780'
	return await createPlayground(options).request(`http://${host}${path}`, { headers: { host, ...headers } })
}

test('its pages and their files are served', async () => {
	const page = await ask('/preview')
	expect(page.status).toBe(200)
	expect(await page.text()).toContain('<title>Preview · Dragoman</title>')
	expect(await (await ask('/assets/a.js')).text()).toBe('1')
	expect((await ask('/assets/none.js')).status).toBe(404)
	expect(await (await ask('/schema/openapi.json')).json()).toEqual({})
	expect((await ask('/schema/none.json')).status).toBe(404)
})

test('the contract of a route is served, for as long as the configuration has it', async () => {
	const config = { upstream: { url: 'builtin:demo' }, routes: [{ name: 'shop', path: '/in', platform: 'canonical' }] }
	const { routes } = readConfig(config, { adapters: [canonical], env: {}, loopback: true, demo })
	const own = { ...open, gateway: { ...gateway, routes } }
	expect(await (await ask('/schema/routes/shop', {}, own)).json()).toEqual({ of: 'shop' })
	expect((await ask('/schema/routes/shop')).status).toBe(404)
})

test.each(['/preview', '/assets/a.js', '/nowhere'])(
	'%s allows only what the playground serves itself',
	async (path) => {
		const { headers } = await ask(path)
		expect(headers.get('content-security-policy')).toMatch(/^default-src 'self';/)
		expect(headers.get('content-security-policy')).not.toContain('unsafe')
		expect(headers.get('x-content-type-options')).toBe('nosniff')
		expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
	},
)

test('the page with foreign code may set styles and markup, and runs nothing but its files', async () => {
	const policy = (await ask('/contract')).headers.get('content-security-policy')
	expect(policy?.split('; ')).toEqual([
		"default-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"object-src 'none'",
		"require-trusted-types-for 'script'",
		"style-src 'self' 'unsafe-inline'",
		'trusted-types vue',
	])
})

test('another page can neither push nor follow what is pushed', async () => {
	const foreign: readonly { [name: string]: string }[] = [
		{ origin: 'https://elsewhere.example' },
		{ 'sec-fetch-site': 'cross-site' },
		{ host: 'rebound.example' },
	]
	for (const headers of foreign) {
		for (const path of ['/api/pushes', '/platforms/pingstreams/p/requests/c/messages']) {
			expect([421, 403]).toContain((await ask(path, headers)).status)
		}
	}
})

test('the API of a platform refuses what it does not know, and there is none of other platforms', async () => {
	const withApi = { ...open, pushes: createPushes(new Map([['pingstreams', simulatedApi()]])) }
	expect((await ask('/platforms/pingstreams/p/requests/c', {}, withApi)).status).toBe(401)
	expect((await ask('/platforms/canonical/p', {}, withApi)).status).toBe(404)
})

test('another page cannot read the contract', async () => {
	expect((await ask('/schema/openapi.json', { origin: 'https://elsewhere.example' })).status).toBe(403)
	expect((await ask('/schema/openapi.json', { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
})

test('a page has no inline script, style or handler', async () => {
	const text = await (await ask('/preview')).text()
	expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/)
})

test.each([
	['a name that leads here by DNS rebinding', { host: 'rebound.example:8780' }, 421],
	['another port', { host: 'localhost:9999' }, 421],
	['a page elsewhere that reads', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
	['a page of another port', { 'sec-fetch-site': 'same-site' }, 403],
	['a frame elsewhere', { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }, 403],
	['another origin', { origin: 'https://elsewhere.example' }, 403],
	['a sandboxed page', { origin: 'null' }, 403],
])('%s is refused', async (_, headers, status) => {
	const answer = await ask('/preview', headers)
	expect(answer.status).toBe(status)
	expect(await answer.text()).not.toContain('<')
})

test('a link from elsewhere may open a page, and nothing but a page', async () => {
	const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
	expect((await ask('/preview', headers)).status).toBe(200)
	expect((await ask('/assets/a.js', headers)).status).toBe(403)
})

test('with a password, nothing is shown without it, whatever the name of the host', async () => {
	const guarded = { ...open, hosts: undefined, password: 'right' }
	const host = 'playground.example'
	const given = (password: string) => ({ host, authorization: `Basic ${btoa(`dragoman:${password}`)}` })
	expect((await ask('/preview', { host }, guarded)).status).toBe(401)
	expect((await ask('/preview', given('wrong'), guarded)).status).toBe(401)
	expect((await ask('/preview', given('right'), guarded)).status).toBe(200)
	const foreign = { ...given('right'), origin: 'https://elsewhere.example' }
	expect((await ask('/preview', foreign, guarded)).status).toBe(403)
})
