/** Calls that come back to where they came from end after one call too many; gateways in a row do not. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import type { LogLine } from '../src/runtime.ts'
import { oneWay } from './outbox/one-way.ts'
import { folder } from './outbox/parts.ts'
import { call, gateway, json, nobody, says, upstream } from './servers.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }

/** A backend that hands calls on as they came, headers included, and counts them. */
async function relay(target: (path: string) => string) {
	return upstream(async (response, { request: { url = '/', headers }, body }) => {
		const { 'content-type': type = '', 'cdn-loop': marks = '' } = headers
		const answer = await fetch(target(url), {
			method: 'POST',
			headers: { 'content-type': type, 'cdn-loop': String(marks) },
			body,
		})
		response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
	})
}

const turns = (lines: readonly LogLine[]) => lines.filter(({ msg }) => msg === 'turn')
const refusals = (lines: readonly LogLine[]) => lines.filter(({ error }) => error === 'loop-detected')

test('a route whose upstream is the route itself makes one call too many', async () => {
	const { port, origin } = new URL(await nobody())
	const config = { upstream: { url: `${origin}/in` }, routes: [route] }
	const lines: LogLine[] = []
	const { close } = await serve({ config, adapters: [canonical], port: Number(port), log: (line) => lines.push(line) })
	onTestFinished(close)
	const answer = await call(`${origin}/in`)
	expect(await answer.json()).toMatchObject({ title: 'upstream-status', upstreamStatus: 508 })
	expect(turns(lines)).toHaveLength(1)
	expect(refusals(lines)).toMatchObject([{ level: 'warn', msg: 'refused', route: 'in', times: 1 }])
})

test('processes of one deployment know the marks of each other', async () => {
	const started: (Gateway & { readonly lines: LogLine[] })[] = []
	let calls = 0
	const { url, received } = await relay(() => `${started[++calls % started.length]?.url}/in`)
	for (const _ of 'abc') started.push(await gateway({ upstream: { url }, routes: [route] }))
	const answer = await call(`${started[0]?.url}/in`)
	expect(await answer.json()).toMatchObject({ upstreamStatus: 508 })
	expect(received).toHaveLength(1)
	expect(started.flatMap(({ lines }) => turns(lines))).toHaveLength(1)
})

test('a loop through another gateway ends where it closes', async () => {
	const outer: { url?: string } = {}
	const { url, received } = await relay(() => `${outer.url}/in`)
	const inner = await gateway({ upstream: { url }, routes: [route] })
	const first = await gateway({ upstream: { url: `${inner.url}/in` }, routes: [route] })
	outer.url = first.url
	expect((await call(`${first.url}/in`)).status).toBe(502)
	expect(received).toHaveLength(1)
	expect([turns(first.lines).length, turns(inner.lines).length]).toEqual([1, 1])
})

test('a gateway in front of a gateway, with routes of the same name, and a route that calls another one, work', async () => {
	const backend = await upstream((response) => json(response, says('From the backend')))
	const { port, origin } = new URL(await nobody())
	const own = { name: 'other', path: '/other', platform: 'canonical', upstream: { url: `${origin}/in` } }
	const config = { upstream: { url: backend.url }, routes: [route, own] }
	const { close } = await serve({ config, adapters: [canonical], port: Number(port), log() {} })
	onTestFinished(close)
	const front = await gateway({ upstream: { url: `${origin}/other?a=b` }, routes: [route] })
	expect(await (await call(`${front.url}/in`)).json()).toMatchObject(says('From the backend'))
	const marks = String(backend.received[0]?.request.headers['cdn-loop']).split(', ')
	expect(new Set(marks).size).toBe(3)
})

test('a row of gateways has an end', async () => {
	const { port, origin } = new URL(await nobody())
	const routes = Array.from({ length: 12 }, (_, i) => ({
		name: `number-${i}`,
		path: `/${i}`,
		platform: 'canonical',
		upstream: { url: i === 11 ? 'builtin:demo' : `${origin}/${i + 1}` },
	}))
	const lines: LogLine[] = []
	const { close } = await serve({
		config: { routes },
		adapters: [canonical],
		port: Number(port),
		log: (line) => lines.push(line),
	})
	onTestFinished(close)
	expect((await call(`${origin}/0`)).status).toBe(502)
	expect(turns(lines)).toHaveLength(8)
	expect((await call(`${origin}/4`)).status).toBe(200)
})

test('an accepted event bears its mark at every attempt, and a loop is not accepted', async () => {
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s', '200ms', '200ms'] }
	const { port, origin } = new URL(await nobody())
	const config = { outbox, upstream: { url: `${origin}/in` }, routes: [{ ...route, platform: 'one-way' }] }
	const lines: LogLine[] = []
	const { close } = await serve({
		config,
		adapters: [canonical, oneWay],
		port: Number(port),
		log: (line) => lines.push(line),
	})
	onTestFinished(close)
	expect((await call(`${origin}/in`)).status).toBe(200)
	const deliveries = () => lines.filter(({ msg }) => msg === 'delivery')
	await expect.poll(() => deliveries().length, { timeout: 10_000 }).toBe(3)
	expect(deliveries()).toMatchObject([
		{ error: 'upstream-status', upstreamStatus: 508 },
		{ upstreamStatus: 508 },
		{ upstreamStatus: 508, dead: true },
	])
	expect(turns(lines)).toHaveLength(1)
})

test('who does not prove its origin is told nothing of marks', async () => {
	const { url: to, received } = await upstream()
	const routes = [{ ...route, secrets: [{ env: 'SECRET' }] }]
	const { url } = await gateway({ upstream: { url: to }, routes }, [canonical], { SECRET: 'a secret of the route' })
	const secret = encodeURIComponent('a secret of the route')
	await call(`${url}/in/${secret}`)
	const headers = {
		'content-type': 'application/json',
		'cdn-loop': String(received[0]?.request.headers['cdn-loop']),
	}
	expect((await call(`${url}/in/${secret}`, undefined, { headers })).status).toBe(508)
	expect((await call(`${url}/in/wrong`, undefined, { headers })).status).toBe(404)
})
