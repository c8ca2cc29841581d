/** The configurations of nginx and Caddy as they stand in deploy/, run in front of real gateways; skipped where there is none of them. */
import { describe, expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { adapters } from '../../adapters/index.ts'
import { gracePeriod } from '../../src/node/listener.ts'
import { gateway, json, nobody, says, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { caddy, deployed, nginx, send } from './front.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }
const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Grüße 🎈', attributes: {} } })
const secret = 'canary-of-a-path-secret'
const env = { SECRET: secret }

describe.each([
	['nginx', nginx],
	['caddy', caddy],
])('%s', (name, start) => {
	const when = test.skipIf(!has(name))

	when('hands a turn on and its answer back, on connections that are kept', async () => {
		const { url: to } = await upstream(({ body }) => json(says(JSON.parse(body).event.text)))
		const { url } = await gateway({ upstream: { url: to }, routes: [route] })
		const front = await start(url)
		for (let i = 0; i < 5; i++) {
			const { status, body: answer } = await send({ ...front, path: '/in', body })
			expect([status, JSON.parse(answer).messages[0].text]).toEqual([200, 'Grüße 🎈'])
		}
		expect((await send({ ...front, path: '/nothing', body })).body).toContain('urn:dragoman:error:not-found')
	})

	when('leaves the limit of a body to the gateway, up to the largest of all formats', async () => {
		const { url: to } = await upstream()
		const largest = Math.max(...adapters.map(({ create }) => create().maxBody ?? 0))
		const large = JSON.stringify({ version: 1, event: { kind: 'message', text: 'x'.repeat(1024 * 1024) } })
		const wide = { name: 'wide', path: '/wide', platform: 'wide' }
		const adapter = { ...canonical, name: 'wide', create: () => ({ ...canonical.create(), maxBody: largest }) }
		const { url } = await gateway({ upstream: { url: to }, routes: [route, wide] }, [canonical, adapter])
		const front = await start(url)
		expect((await send({ ...front, path: '/in', body: large })).body).toContain('urn:dragoman:error:body-too-large')
		expect((await send({ ...front, path: '/wide', body: large.padEnd(largest) })).status).toBe(200)
		expect((await send({ ...front, path: '/wide', body: large.padEnd(largest + 65_536) })).status).not.toBe(200)
	})

	when('writes no secret down, whatever happens', async () => {
		const { url: to } = await upstream()
		const routes = [{ ...route, secrets: [{ env: 'SECRET' }] }]
		const { url } = await gateway({ upstream: { url: to }, routes }, [canonical], env)
		const front = await start(url)
		const gone = await start(await nobody())
		const broken = await start((await upstream(() => 'HTTP/1.1 200 OK\r\nno header\r\n\r\n')).url)
		const target = { path: `/in/${secret}?token=${secret}`, headers: { authorization: secret, cookie: secret }, body }
		const { status } = await send({ ...front, ...target })
		expect(status).toBe(200)
		for (const each of [gone, broken]) expect((await send({ ...each, ...target })).status).toBe(502)
		await send({ ...front, ...target, path: `/-/carries/in?${secret}` })
		await send({ ...front, ...target, body: 'x'.repeat(9 * 1024 * 1024) })
		await send({ ...front, ...target, headers: { 'x-large': secret.padEnd(70_000, 'x') } })
		// Written a moment later.
		for (const each of [front, gone, broken]) await expect.poll(each.told, { timeout: 5000 }).toMatch(/\b(?:200|502)\b/)
		for (const each of [front, gone, broken]) expect(each.told()).not.toContain(secret)
	})

	when('shows nobody outside how the gateway is, and what its routes carry', async () => {
		const { url } = await gateway({ upstream: { url: 'builtin:demo' }, routes: [route] })
		const front = await start(url)
		for (const path of [
			'/healthz',
			'/readyz',
			'/-/carries/in',
			'/x/../readyz',
			'/%2d/carries/in',
			'//readyz',
			'/-/reply/../carries/in',
			'/-/replies',
		]) {
			const { status, body } = await send({ ...front, method: 'GET', path })
			expect([path, status]).toEqual([path, 404])
			expect(body).not.toMatch(/ready|carries|reply/)
		}
	})

	when('hands replies of backends on, and writes their URLs nowhere', async () => {
		const { url } = await gateway({ upstream: { url: 'builtin:demo' }, routes: [route] })
		const front = await start(url)
		const answer = await send({ ...front, path: `/-/reply/${secret.padEnd(4000, 'x')}`, body: '{}' })
		expect([answer.status, JSON.parse(answer.body).title]).toEqual([404, 'reply-url-invalid'])
		await expect.poll(front.told, { timeout: 5000 }).toMatch(/\b404\b/)
		expect(front.told()).not.toContain(secret)
	})

	when('sends a call once, also when it failed', async () => {
		const attempts: string[] = []
		const breaking = async () => {
			const { url } = await upstream((_, { socket }) => {
				attempts.push('broken')
				socket.destroy()
			})
			return url
		}
		const front = await start(await breaking(), await breaking())
		for (let i = 1; i <= 4; i++) {
			expect((await send({ ...front, path: '/in', body })).status).toBe(502)
			expect(attempts).toHaveLength(i)
		}
	})

	when('lets no header in that tells of a client', async () => {
		const seen = await upstream()
		const front = await start(seen.url)
		const lies = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']
		const headers = Object.fromEntries(lies.map((each) => [each, '1.2.3.4']))
		for (let i = 0; i < 5; i++) await send({ ...front, path: '/in', body, headers })
		expect(seen.calls).toHaveLength(5)
		for (const { headers, head } of seen.calls) {
			expect(headers.filter(([name]) => lies.includes(name))).toEqual([])
			expect(head[0]).toMatch(/ HTTP\/1\.1$/)
		}
		expect(seen.connections).toBe(1)
	})
})

test.skipIf(!has('nginx'))('nginx brings all calls of a route to the same gateway', async () => {
	const backends = await Promise.all([upstream(), upstream(), upstream()])
	const front = await nginx(...backends.map(({ url }) => url))
	const names = Array.from({ length: 12 }, (_, i) => `/route-${i}`)
	for (const name of names) {
		for (const path of [name, `${name}/${secret}`, `${name}?conversation=7`]) await send({ ...front, path, body })
	}
	const whereTo = (name: string) =>
		backends.map(({ calls }) => calls.filter(({ path }) => `${path}/`.match(`^${name}[/?]`)).length)
	for (const name of names) expect(whereTo(name).toSorted((a, b) => a - b)).toEqual([0, 0, 3])
	expect(backends.filter(({ calls }) => calls.length > 0).length).toBeGreaterThan(1)
})

test('both wait longer than any platform', () => {
	const longest = Math.max(...adapters.map(({ create }) => create().deadline ?? 0), 10_000)
	const waits = [
		/proxy_read_timeout (\d+)s;/.exec(deployed('nginx/dragoman.conf')),
		/response_header_timeout (\d+)s/.exec(deployed('caddy/Caddyfile')),
		/\bread_timeout (\d+)s/.exec(deployed('caddy/Caddyfile')),
	]
	for (const wait of waits) expect(Number(wait?.[1]) * 1000).toBeGreaterThan(longest)
})

test.each(['by-route', 'shared', 'compose'])(
	'nginx closes idle connections before a gateway that ends does: %s.conf',
	(name) => {
		const timeout = /^\tkeepalive_timeout (\d+)ms;$/m.exec(deployed(`nginx/upstream/${name}.conf`))?.[1]
		expect(Number(timeout)).toBeGreaterThan(0)
		// Half of it: a busy machine may be late.
		expect(Number(timeout)).toBeLessThanOrEqual(gracePeriod / 2)
	},
)
