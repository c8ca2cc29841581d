/** Calls that come back to where they came from end after one call too many; gateways in a row do not. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import type { LogLine } from '../src/runtime.ts'
import type { GatewayServer } from './harness/gateway.ts'
import { send } from './harness/http.ts'
import { freePort } from './harness/sockets.ts'
import { folder } from './outbox/parts.ts'
import { call, gateway, header, json, oneWay, says, start, upstream } from './servers.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }

/** A backend that hands calls on as they came, headers included, and counts them. */
async function relay(target: (path: string) => string) {
	return upstream(async ({ path, headers, body }) => {
		const kept = headers.filter(([name]) => name === 'content-type' || name === 'cdn-loop')
		return send(target(path), { path: new URL(target(path)).pathname, headers: kept, body })
	})
}

/** A port of this machine that nothing uses, and where a gateway on it is called. */
async function free() {
	const port = await freePort()
	return { port, origin: `http://127.0.0.1:${port}` }
}

const turns = (lines: readonly LogLine[]) => lines.filter(({ msg }) => msg === 'turn')
const refusals = (lines: readonly LogLine[]) => lines.filter(({ error }) => error === 'loop-detected')

test('a route whose upstream is the route itself makes one call too many', async () => {
	const { port, origin } = await free()
	const { lines } = await start({ upstream: { url: `${origin}/in` }, routes: [route] }, { as: 'server', port })
	const answer = await call(`${origin}/in`)
	expect(await answer.json()).toMatchObject({ title: 'upstream-status', upstreamStatus: 508 })
	expect(turns(lines)).toHaveLength(1)
	expect(refusals(lines)).toMatchObject([{ level: 'warn', msg: 'refused', route: 'in', times: 1 }])
})

test('processes of one deployment recognise each other’s marks', async () => {
	const started: GatewayServer[] = []
	let turn = 0
	const { url, calls } = await relay(() => `${started[++turn % started.length]?.url}/in`)
	for (const _ of 'abc') started.push(await gateway({ upstream: { url }, routes: [route] }))
	const answer = await call(`${started[0]?.url}/in`)
	expect(await answer.json()).toMatchObject({ upstreamStatus: 508 })
	expect(calls).toHaveLength(1)
	expect(started.flatMap(({ lines }) => turns(lines))).toHaveLength(1)
})

test('a loop through another gateway ends at the first repeated route', async () => {
	const outer: { url?: string } = {}
	const { url, calls } = await relay(() => `${outer.url}/in`)
	const inner = await gateway({ upstream: { url }, routes: [route] })
	const first = await gateway({ upstream: { url: `${inner.url}/in` }, routes: [route] })
	outer.url = first.url
	expect((await call(`${first.url}/in`)).status).toBe(502)
	expect(calls).toHaveLength(1)
	expect([turns(first.lines).length, turns(inner.lines).length]).toEqual([1, 1])
})

test('a gateway in front of a gateway, with routes of the same name, and a route that calls another one, work', async () => {
	const backend = await upstream(() => json(says('From the backend')))
	const { port, origin } = await free()
	const own = { name: 'other', path: '/other', platform: 'canonical', upstream: { url: `${origin}/in` } }
	await start({ upstream: { url: backend.url }, routes: [route, own] }, { as: 'server', port })
	const front = await gateway({ upstream: { url: `${origin}/other?a=b` }, routes: [route] })
	expect(await (await call(`${front.url}/in`)).json()).toMatchObject(says('From the backend'))
	const marks = backend.calls.flatMap((call) => header(call, 'cdn-loop')?.split(', '))
	expect(new Set(marks).size).toBe(3)
})

test('the number of chained gateways is limited', async () => {
	const { port, origin } = await free()
	const routes = Array.from({ length: 12 }, (_, i) => ({
		name: `number-${i}`,
		path: `/${i}`,
		platform: 'canonical',
		upstream: { url: i === 11 ? 'builtin:demo' : `${origin}/${i + 1}` },
	}))
	const { lines } = await start({ routes }, { as: 'server', port })
	expect((await call(`${origin}/0`)).status).toBe(502)
	expect(turns(lines)).toHaveLength(8)
	expect((await call(`${origin}/4`)).status).toBe(200)
})

test('an accepted event carries its mark at every attempt, and a loop is not accepted', async () => {
	const outbox = { file: join(folder(), 'outbox.db'), schedule: ['0s', '200ms', '200ms'] }
	const { port, origin } = await free()
	const config = { outbox, upstream: { url: `${origin}/in` }, routes: [{ ...route, platform: 'one-way' }] }
	const { lines } = await start(config, { as: 'server', adapters: [canonical, oneWay], port })
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

test('an unauthenticated call learns nothing about marks', async () => {
	const { url: to, calls } = await upstream()
	const routes = [{ ...route, secrets: [{ env: 'SECRET' }] }]
	const { url } = await gateway({ upstream: { url: to }, routes }, [canonical], { SECRET: 'a secret of the route' })
	const secret = encodeURIComponent('a secret of the route')
	await call(`${url}/in/${secret}`)
	const headers = {
		'content-type': 'application/json',
		'cdn-loop': String(calls[0] && header(calls[0], 'cdn-loop')),
	}
	expect((await call(`${url}/in/${secret}`, undefined, { headers })).status).toBe(508)
	expect((await call(`${url}/in/wrong`, undefined, { headers })).status).toBe(404)
})
