/** Upstreams that may be at public addresses only: what is looked at is what is connected to, and nothing else. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { readConfig } from '../../src/config/index.ts'
import { createApp } from '../../src/http/index.ts'
import type { Resolve } from '../../src/node/guarded-connect.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import { createSender } from '../../src/node/undici-client.ts'
import type { LogLine } from '../../src/runtime.ts'
import { says } from '../servers.ts'

/** Two addresses of this machine, of which these tests take the first for a public one. */
const [open, closed] = ['127.0.0.1', '127.0.0.2']

/** A server at both addresses, on one port, and to which of them each connection was made; one for each call, unless it keeps them. */
async function backend(keeps = false) {
	const connected: (string | undefined)[] = []
	const listen = (host: string, port: number) => {
		const server = createServer((request, response) => {
			request.resume()
			if (!keeps) response.setHeader('connection', 'close')
			response.setHeader('content-type', 'application/json').end(JSON.stringify(says('Hello')))
		}).on('connection', ({ localAddress }) => connected.push(localAddress))
		onTestFinished(() => {
			server.close()
			server.closeAllConnections()
		})
		return new Promise<number>((listening) => {
			server.listen(port, host, () => listening((server.address() as AddressInfo).port))
		})
	}
	const port = await listen(closed, 0)
	await listen(open, port)
	return { port, connected }
}

/** A resolver that answers a name with the next of these lists of addresses, the last one again and again. */
function resolver(...answers: readonly string[][]) {
	const asked: string[] = []
	const resolve: Resolve = (hostname, _options, callback) => {
		const addresses = answers[Math.min(asked.push(hostname), answers.length) - 1] ?? []
		process.nextTick(
			callback,
			null,
			addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
		)
	}
	return { asked, resolve }
}

/** A gateway with this upstream, a name's resolver, and what counts as public; `call` takes a turn. */
function gateway(upstream: object, resolve: Resolve, isPublic = (address: string) => address === open) {
	const lines: LogLine[] = []
	const runtime = createRuntime((line) => lines.push(line), createSender({ resolve, isPublic }))
	onTestFinished(() => runtime.close())
	const routes = [
		{ name: 'in', path: '/in', platform: 'canonical' },
		{ name: 'any', path: '/any', platform: 'canonical', upstream: { ...upstream, public: false } },
	]
	const reading = readConfig({ upstream, routes }, { adapters: [canonical], env: {}, loopback: true })
	const app = createApp({ routes: reading.routes, runtime })
	const call = async (path = '/in') => {
		const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} } })
		const headers = { 'content-type': 'application/json' }
		return app.fetch(new Request(`http://gateway.test${path}`, { method: 'POST', headers, body }))
	}
	return { call, lines }
}

test('a name without a public address is refused after one attempt, and the answer does not reveal the address', async () => {
	const { port, connected } = await backend()
	const { asked, resolve } = resolver([closed, '::1'])
	const { call, lines } = gateway({ url: `http://rebound.test:${port}/`, public: true }, resolve)
	const answer = await call()
	expect(answer.status).toBe(502)
	const problem = await answer.json()
	expect(problem).toMatchObject({ title: 'upstream-not-public' })
	expect(JSON.stringify([problem, lines])).not.toMatch(/127\.|::1|rebound/)
	expect(asked).toEqual(['rebound.test'])
	expect(connected).toEqual([])
	// Without the option, the same name is called.
	expect((await call('/any')).status).toBe(200)
	expect(connected).toEqual([closed])
})

test('in a mixed set of addresses, only public ones are called, in any order', async () => {
	for (const addresses of [
		[closed, open],
		[open, closed],
		['::1', closed, '10.0.0.1', open],
	]) {
		const { port, connected } = await backend()
		const { resolve } = resolver(addresses)
		const { call } = gateway({ url: `http://mixed.test:${port}/`, public: true }, resolve)
		expect((await call()).status).toBe(200)
		expect(connected).toEqual([open])
	}
})

test('a name is looked up once per connection, so a second answer has no effect', async () => {
	const { port, connected } = await backend()
	const { asked, resolve } = resolver([open], [closed], [open], [closed], [open], [closed])
	const { call } = gateway({ url: `http://rebound.test:${port}/`, public: true }, resolve)
	const statuses = []
	for (let i = 0; i < 6; i++) statuses.push((await call()).status)
	expect(statuses).toEqual([200, 502, 200, 502, 200, 502])
	expect(asked).toHaveLength(6)
	expect(connected).toEqual([open, open, open])
})

test('a connection of an upstream without the option is not reused for one with it', async () => {
	const { port, connected } = await backend(true)
	const { resolve } = resolver([closed])
	const { call } = gateway({ url: `http://shared.test:${port}/`, public: true }, resolve)
	expect((await call('/any')).status).toBe(200)
	expect(connected).toEqual([closed])
	expect(await (await call('/in')).json()).toMatchObject({ title: 'upstream-not-public' })
	expect(connected).toEqual([closed])
})

test.each(['http', 'https'])('an address that the configuration let through is refused: %s', async (scheme) => {
	const { port, connected } = await backend()
	const sender = createSender()
	onTestFinished(() => sender.close())
	const call = { method: 'GET', headers: [], body: '', timeout: 10_000, reads: 'reply' as const, maxBytes: 1000 }
	const hosts = [closed, '2130706434', '0x7f.2', '0177.0.0.2', '127.2', '[::ffff:127.0.0.2]', 'localhost']
	for (const host of hosts) {
		const url = `${scheme}://${host}:${port}/`
		await expect(sender.send({ ...call, url, onlyPublic: true })).rejects.toMatchObject({ code: 'upstream-not-public' })
	}
	expect(connected).toEqual([])
	// The last two are not this address where nothing is mapped.
	if (scheme === 'https') return
	for (const host of hosts.slice(0, 5))
		await sender.send({ ...call, url: `http://${host}:${port}/`, onlyPublic: false })
	expect(connected).toEqual(Array.from({ length: 5 }, () => closed))
})

test('a backup is called immediately, and its address is checked in the same way', async () => {
	const { port, connected } = await backend()
	const resolve: Resolve = (hostname, _options, callback) => {
		callback(null, [{ address: hostname === 'good.test' ? open : closed, family: 4 }])
	}
	const upstream = { url: `http://bad.test:${port}/`, backup: `http://good.test:${port}/`, public: true }
	expect((await gateway(upstream, resolve).call()).status).toBe(200)
	expect(connected).toEqual([open])
	const worse = { ...upstream, backup: `http://worse.test:${port}/` }
	expect(await (await gateway(worse, resolve).call()).json()).toMatchObject({ title: 'upstream-not-public' })
	expect(connected).toEqual([open])
})

test('an upstream at a non-public address opens the circuit like one that is down, and recovers with its name', async () => {
	const { port } = await backend()
	let leads = closed
	let asked = 0
	const resolve: Resolve = (_hostname, _options, callback) => {
		asked++
		callback(null, [{ address: leads, family: 4 }])
	}
	const { call, lines } = gateway({ url: `http://lost.test:${port}/`, public: true }, resolve)
	const titles = []
	for (let i = 0; i < 20; i++) titles.push((await (await call()).json()).title)
	expect(titles.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'upstream-not-public'))
	expect(titles).toContain('upstream-circuit-open')
	expect(asked).toBeLessThan(20)
	leads = open
	await expect.poll(async () => (await call()).status, { timeout: 10_000 }).toBe(200)
	const states = lines.filter(({ msg }) => msg === 'upstream').map(({ state }) => state)
	expect(states).toEqual(['circuit open', 'recovered'])
})

test('a name that is not found is an unreachable upstream', async () => {
	const resolve: Resolve = (_hostname, _options, callback) => {
		callback(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), [])
	}
	const { call } = gateway({ url: 'http://nobody.test/', public: true }, resolve)
	expect(await (await call()).json()).toMatchObject({ title: 'upstream-unreachable' })
})
