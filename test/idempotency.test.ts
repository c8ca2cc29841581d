/** Calls that come more than once: one answer, one call to the upstream. */
import { expect, test } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { readConfig } from '../src/config/index.ts'
import { limits } from '../src/limits.ts'
import { createState } from '../src/node/memory-state.ts'
import { keyOf } from '../src/turn/keys.ts'
import { testCrypto } from './crypto.ts'
import { call, gateway, gatewayTo, json, ownJson, says, statusOnly, upstream } from './servers.ts'
import { claim, settle } from './state-steps.ts'

const event = { id: 'm1', kind: 'message', text: 'Hi', conversation: 'c1' }

/** An upstream that numbers its answers, some time after it was asked. */
const numbering = () => {
	let asked = 0
	return upstream(async (_, { pause }) => {
		const answer = json(says(`Answer ${++asked}`))
		await pause(50)
		return answer
	})
}

test('the same call gets the same bytes, concurrently and later', async () => {
	const { url, calls } = await numbering()
	const { url: at, lines } = await gatewayTo(url, { debug: true })
	const answers = await Promise.all([1, 2, 3].map(() => call(`${at}/in`, event)))
	answers.push(await call(`${at}/in`, event))
	const bodies = await Promise.all(answers.map((answer) => answer.text()))
	expect(new Set(bodies).size).toBe(1)
	expect(new Set(answers.map((answer) => answer.headers.get('dragoman-changes'))).size).toBe(1)
	expect(calls).toHaveLength(1)
	expect(lines.filter(({ duplicate }) => duplicate)).toHaveLength(3)
})

test('another id, another body, or no id at all is another call', async () => {
	const { url, calls } = await numbering()
	const { url: at } = await gatewayTo(url)
	const { id: _, ...anonymous } = event
	for (const each of [event, { ...event, id: 'm2' }, { ...event, text: 'Ho' }, anonymous, anonymous]) {
		await call(`${at}/in`, each)
	}
	expect(calls).toHaveLength(5)
})

test('a failed call does not affect the next', async () => {
	let asked = 0
	const { url, calls } = await upstream(() => (++asked === 1 ? statusOnly(500) : json(says('Hello'))))
	const { url: at } = await gatewayTo(url)
	expect((await call(`${at}/in`, event)).status).toBe(502)
	expect((await call(`${at}/in`, event)).status).toBe(200)
	expect((await call(`${at}/in`, event)).status).toBe(200)
	expect(calls).toHaveLength(2)
})

test('a call that fails before the upstream is called does not affect the next', async () => {
	let encoded = 0
	const { event: leg } = canonical.create()
	const encode: typeof leg.encode = (...given) => {
		if (++encoded === 1) throw new TypeError('a fault of the adapter')
		return leg.encode(...given)
	}
	const fails = ownJson('fails', { event: { ...leg, encode } })
	const { url, calls } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'canonical' }]
	const { url: at } = await gateway({ upstream: { url, adapter: 'fails' }, routes }, [canonical, fails])
	expect((await call(`${at}/in`, event)).status).toBe(500)
	expect((await call(`${at}/in`, event)).status).toBe(200)
	expect((await call(`${at}/in`, event)).status).toBe(200)
	expect(calls).toHaveLength(1)
})

test('a call that waits for an expired claim gets it, and the old one cannot settle', async () => {
	const state = createState()
	const first = await claim(state, 'c1', 'call', 10)
	const second = await claim(state, 'c1', 'call', 1000)
	expect([first, second]).toEqual([{ fence: expect.any(Number) }, { fence: expect.any(Number) }])
	expect(second).not.toEqual(first)
	const answer = { status: 200, headers: [], body: 'second' }
	if ('fence' in first) await settle(state, 'c1', 'call', first.fence, { ...answer, body: 'first' })
	if ('fence' in second) await settle(state, 'c1', 'call', second.fence, answer)
	expect(await claim(state, 'c1', 'call', 10)).toEqual({ answer })
})

const long = 'x'.repeat(100_000)

test('conversations and calls whose ids are very long are told apart', async () => {
	const { url, calls } = await upstream()
	const { url: at } = await gatewayTo(url)
	const { conversation: _, ...alone } = event
	for (const each of [
		{ conversation: `${long}1` },
		{ conversation: `${long}2` },
		{ id: `${long}1` },
		{ id: `${long}2` },
	])
		for (let i = 0; i < 2; i++) expect((await call(`${at}/in`, { ...event, ...each })).status).toBe(200)
	for (const id of [`${long}1`, `${long}2`, `${long}1`]) await call(`${at}/in`, { ...alone, id })
	expect(calls).toHaveLength(6)
})

test('the key of a conversation is short, and holds the route', async () => {
	const { routes } = readConfig(
		{
			upstream: { url: 'http://127.0.0.1:9/' },
			routes: ['one', 'two'].map((name) => ({ name, path: `/${name}`, platform: 'canonical' })),
		},
		{ adapters: [canonical], env: {}, loopback: true },
	)
	const keys = await Promise.all(
		routes.flatMap((route) => ['c', `${long}1`, `${long}2`].map((id) => keyOf(route, id, testCrypto))),
	)
	expect(new Set(keys).size).toBe(6)
	expect(keys[0]).toBe('one c')
	expect(Math.max(...keys.map(({ length }) => length))).toBeLessThanOrEqual(limits.conversationKey.value)
})
