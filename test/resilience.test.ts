/** What the gateway does about an upstream that is down, overrun, or there twice. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { GatewayError } from '../src/errors.ts'
import { createRuntime } from '../src/node/node-runtime.ts'
import type { CallOutcome } from '../src/observer/index.ts'
import type { Runtime } from '../src/runtime.ts'
import {
	type CallLimits,
	callUpstream,
	createConcurrencyLimit,
	createEndpoint,
	type Upstream,
} from '../src/upstream/index.ts'
import { call, gateway, gatewayTo, header, json, ownJson, says, statusOnly, upstream } from './servers.ts'

const route = { name: 'in', path: '/in', platform: 'canonical' }
const request = { method: 'POST', query: [], headers: [], body: '{}' }

/** An upstream whose calls are answered here. */
function inside(endpoints: Upstream['endpoints'], send: Runtime['send']): Upstream {
	return {
		...{ name: 'canonical', adapter: canonical.create({}), endpoints, concurrencyLimit: createConcurrencyLimit(8) },
		...{ secrets: [], headers: [], signingKeys: [], onlyPublic: false, timeout: 60_000, send },
	}
}

/** An endpoint whose circuit opened a second ago, so that a probe is due. */
function withOpenCircuit({ elapsed }: Runtime): Upstream['endpoints'][number] {
	const endpoint = createEndpoint('http://backend.example/')
	const aSecondAgo = elapsed() - 1000
	for (let n = 0; n < 5; n++) endpoint.breaker.onFailure(aSecondAgo)
	return endpoint
}

/** The limits of a call that has a minute. */
function soon({ elapsed }: Runtime): CallLimits {
	return { id: 'turn_1', until: elapsed() + 60_000, repeat: 'unsent', reads: 'reply' }
}

async function titleOf(url: string): Promise<string | undefined> {
	return (await (await call(`${url}/in`)).json()).title
}

test('an upstream that keeps failing opens the circuit, which is logged once, and recovers with its first answer', async () => {
	let failing = true
	const { url: to, calls } = await upstream(() => (failing ? statusOnly(500) : json(says('Back'))))
	const { url, lines } = await gatewayTo(to)
	const titles: unknown[] = []
	const pauses = new Set<string | null>()
	for (let i = 0; i < 40; i++) {
		const answer = await call(`${url}/in`)
		const { title } = await answer.json()
		titles.push(title)
		if (title === 'upstream-circuit-open') pauses.add(answer.headers.get('retry-after'))
	}
	expect(titles.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'upstream-status'))
	expect(titles.filter((title) => title === 'upstream-circuit-open').length).toBeGreaterThan(0)
	expect(calls.length).toBeLessThan(40)
	expect([...pauses]).toEqual(['1'])

	failing = false
	await expect.poll(() => titleOf(url), { timeout: 10_000, interval: 50 }).toBeUndefined()
	expect(await titleOf(url)).toBeUndefined()
	const states = lines.filter(({ msg }) => msg === 'upstream')
	expect(states).toEqual([
		{ level: 'warn', msg: 'upstream', origin: new URL(to).origin, state: 'circuit open' },
		{ level: 'info', msg: 'upstream', origin: new URL(to).origin, state: 'recovered' },
	])
})

test.each([429, 503])('Retry-After with status %d is honoured', async (status) => {
	let asked = 0
	const { url: to } = await upstream(() =>
		++asked === 1 ? statusOnly(status, [['retry-after', '3600']]) : json(says('Hello')),
	)
	const { url } = await gatewayTo(to)
	expect(await titleOf(url)).toBe('upstream-status')
	const answer = await call(`${url}/in`)
	expect(answer.status).toBe(503)
	// Not an hour, as it asked: users are waiting.
	expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60)
	expect(await answer.json()).toMatchObject({ title: 'upstream-circuit-open' })
	expect(asked).toBe(1)
})

test('a call that was not sent is retried', async () => {
	const backend = await upstream(() => json(says('There I am')))
	await backend.shut()
	const { url } = await gatewayTo(backend.url)
	const answer = call(`${url}/in`)
	await wait(30)
	await backend.open()
	expect(await (await answer).json()).toMatchObject(says('There I am'))
})

test.each([
	[false, 1, 'upstream-unreachable'],
	[true, 2, undefined],
])(
	'a call whose answer never began is called again on idempotent routes only: %s',
	async (idempotent, calls, title) => {
		const backend = await upstream((_, { socket }) => {
			if (backend.calls.length > 1) return json(says('Hello'))
			socket.destroy()
		})
		const { url } = await gatewayTo(backend.url, { idempotent })
		expect(await titleOf(url)).toBe(title)
		expect(backend.calls).toHaveLength(calls)
		expect(new Set(backend.calls.map((call) => header(call, 'webhook-id'))).size).toBe(1)
	},
)

test('a call is not retried once a byte of the answer has arrived', async () => {
	const { url: to, calls } = await upstream(async (_, { write, socket }) => {
		await write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{')
		socket.destroy()
	})
	const { url } = await gatewayTo(to, { idempotent: true })
	expect(await titleOf(url)).toBe('upstream-reply-invalid')
	expect(calls).toHaveLength(1)
})

test('a backup is called while the first URL is unreachable, and the first again once it has recovered', async () => {
	const { url: backup, calls } = await upstream(() => json(says('From the backup')))
	const first = await upstream(() => json(says('From the first')))
	await first.shut()
	const { url } = await gateway({ upstream: { url: first.url, backup }, routes: [route] })
	for (let i = 0; i < 12; i++) {
		expect(await (await call(`${url}/in`)).json()).toMatchObject(says('From the backup'))
	}
	expect(calls).toHaveLength(12)
	await first.open()
	await expect
		.poll(async () => (await (await call(`${url}/in`)).json()).messages[0].text, { timeout: 10_000 })
		.toBe('From the first')
})

test('a backup is not called for a call that the first may have received', async () => {
	const { url: backup, calls } = await upstream()
	const { url: first } = await upstream((_, { socket }) => void socket.destroy())
	const { url } = await gateway({ upstream: { url: first, backup }, routes: [route] })
	expect(await titleOf(url)).toBe('upstream-unreachable')
	expect(calls).toHaveLength(0)
})

test('a call over the concurrency limit fails immediately, and a later one succeeds', async () => {
	const answers: (() => void)[] = []
	const { url: to } = await upstream(async () => {
		await new Promise<void>((answer) => answers.push(answer))
		return json(says('Hello'))
	})
	const { url } = await gateway({ upstream: { url: to, concurrency: 3 }, routes: [route] })
	const three = [1, 2, 3].map(() => titleOf(url))
	await expect.poll(() => answers.length).toBe(3)
	const answer = await call(`${url}/in`)
	expect(answer.status).toBe(503)
	expect(answer.headers.get('retry-after')).toBe('1')
	expect(await answer.json()).toMatchObject({ title: 'overloaded' })
	for (const each of answers) each()
	expect(await Promise.all(three)).toEqual([undefined, undefined, undefined])
	const next = titleOf(url)
	await expect.poll(() => answers.length).toBe(4)
	answers[3]?.()
	expect(await next).toBeUndefined()
})

test('calls without time left do not count against the upstream', async () => {
	const { url: to, calls } = await upstream()
	// All of its second and a half is kept for the answer.
	const hasty = ownJson('hasty', { deadline: 1500 })
	const routes = [route, { name: 'hasty', path: '/hasty', platform: 'hasty' }]
	const { url } = await gateway({ upstream: { url: to }, routes }, [canonical, hasty])
	for (let i = 0; i < 6; i++) {
		expect(await (await call(`${url}/hasty`)).json()).toMatchObject({ title: 'upstream-timeout' })
	}
	expect(await titleOf(url)).toBeUndefined()
	expect(calls).toHaveLength(1)
})

test('a Retry-After of zero opens no circuit and is not logged', async () => {
	const { url: to } = await upstream(() => statusOnly(503, [['retry-after', '0']]))
	const { url, lines } = await gatewayTo(to)
	for (let i = 0; i < 3; i++) expect(await titleOf(url)).toBe('upstream-status')
	expect(lines.map(({ msg }) => msg)).toEqual(['turn', 'turn', 'turn'])
})

test('the same URL is retried after a pause, also while the circuit of the backup is open', async () => {
	const endpoints = [createEndpoint('http://first.example/'), createEndpoint('http://backup.example/')] as const
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	endpoints[1].breaker.backOff(runtime.elapsed(), 60_000)
	const calls: { url: string; at: number }[] = []
	const to = inside(endpoints, async ({ url }) => {
		calls.push({ url, at: runtime.elapsed() })
		throw new GatewayError('upstream-unreachable', {}, { unsent: true })
	})
	await expect(callUpstream(to, request, soon(runtime), runtime)).rejects.toMatchObject({
		code: 'upstream-unreachable',
	})
	expect(calls.map(({ url }) => url)).toEqual(Array.from({ length: 3 }, () => 'http://first.example/'))
	const waits = calls.slice(1).map(({ at }, i) => at - (calls[i]?.at ?? at))
	// Timers may be early by less than a millisecond.
	expect(waits).toEqual([expect.toSatisfy((ms) => ms > 98), expect.toSatisfy((ms) => ms > 298)])
})

test('while the circuit is open, one call at a time is a probe, also where calls are signed', async () => {
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	const endpoint = withOpenCircuit(runtime)
	let sent = 0
	const to = inside([endpoint], async () => {
		sent++
		throw new GatewayError('upstream-unreachable')
	})
	const signed = { ...to, signingKeys: [new Uint8Array(32)] }
	const calls = Array.from({ length: 8 }, () => callUpstream(signed, request, soon(runtime), runtime))
	const codes = (await Promise.allSettled(calls)).map((call) => call.status === 'rejected' && call.reason.code)
	expect(codes).toEqual(['upstream-unreachable', ...Array.from({ length: 7 }, () => 'upstream-circuit-open')])
	expect(sent).toBe(1)
})

test('where sending throws at once, the observer sees the end of the attempt, an open circuit stays open, and the concurrency limit is released', async () => {
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	const endpoint = withOpenCircuit(runtime)
	const to = inside([endpoint], () => {
		throw new TypeError('not sent')
	})
	const outcomes: CallOutcome[] = []
	const watched = { ...soon(runtime), observe: () => ({ end: (outcome: CallOutcome) => void outcomes.push(outcome) }) }
	await expect(callUpstream(to, request, watched, runtime)).rejects.toMatchObject({ code: 'internal' })
	expect(outcomes).toEqual([{ status: undefined, error: 'internal' }])
	expect(endpoint.breaker.isOpen).toBe(true)
	expect(to.concurrencyLimit.inUse).toBe(0)
})

test('a call that cannot be signed says nothing about the endpoint, and the concurrency limit is released', async () => {
	const runtime = createRuntime(() => {})
	onTestFinished(() => runtime.close())
	const endpoint = withOpenCircuit(runtime)
	const to = inside([endpoint], async () => expect.unreachable())
	const signed = { ...to, signingKeys: [new Uint8Array(32)] }
	const hmac = async (): Promise<never> => {
		throw new TypeError('no key')
	}
	const broken = { ...runtime, crypto: { ...runtime.crypto, hmac } }
	await expect(callUpstream(signed, request, soon(runtime), broken)).rejects.toThrow('no key')
	expect(endpoint.breaker.isOpen).toBe(true)
	expect(to.concurrencyLimit.inUse).toBe(0)
})
