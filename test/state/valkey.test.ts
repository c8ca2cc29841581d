/** The State in Valkey or Redis, on a real server: what every State does, and what is particular to this store. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import { Redis } from 'iovalkey'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { CanonicalReply } from '../../src/model/index.ts'
import { createSharedState, type SharedState } from '../../src/node/state/shared-state.ts'
import { openValkeyStore } from '../../src/node/state/valkey-store.ts'
import { certify } from '../deploy/front.ts'
import { json } from '../harness/http.ts'
import { startNetwork } from '../harness/network.ts'
import { folder } from '../harness/scope.ts'
import { stateKinds } from '../harness/state-servers.ts'
import { startValkey, valkeyProgram } from '../harness/valkey.ts'
import { testScope, upstream } from '../servers.ts'
import { claim, openChoices, settle } from '../state-steps.ts'
import { stateSuite } from '../state-suite.ts'
import { has } from '../tools.ts'
import { node, nodeProcess, say, stateLines, user } from './rig.ts'

const [kind] = stateKinds.filter(({ name }) => name === 'valkey')

/** Opens a state whose failures fail nobody. */
async function openState(url: string, timeout = 10_000): Promise<SharedState & { readonly failures: string[] }> {
	const failures: string[] = []
	const shared = await createSharedState({
		timeout,
		open: (events) => openValkeyStore(url, timeout, events),
		failed: (did, cause) => failures.push(`${did}: ${cause}`),
		recovered() {},
	})
	await shared.identify()
	return { ...shared, failures }
}

/** Listens at a port that is free, until the test ends. */
async function listening(server: Server): Promise<AddressInfo> {
	await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
	testScope.after(() => server.close())
	return server.address() as AddressInfo
}

describe.skipIf(valkeyProgram === undefined || !kind)('the state in Valkey or Redis', () => {
	const ends: (() => unknown)[] = []
	let shared: Awaited<ReturnType<typeof openState>> | undefined
	beforeAll(async () => {
		const { url } = await startValkey({ after: (end) => ends.push(end) })
		shared = await openState(url)
		ends.push(shared.close)
	})
	afterAll(async () => {
		for (const end of ends.reverse()) await end()
		expect(shared?.failures).toEqual([])
	})

	stateSuite('Valkey or Redis', () => {
		if (!shared) throw new Error('not started')
		return shared.state
	})

	test('says which server and version it is', async () => {
		expect(await shared?.identify()).toMatch(/^(?:redis|valkey) \d+\.\d+/)
	})
})

describe.skipIf(valkeyProgram === undefined || !kind)('Valkey or Redis', () => {
	const started = async (directives: readonly string[] = []) => {
		const server = await startValkey(testScope, directives)
		const admin = new Redis(server.url)
		testScope.after(() => admin.disconnect())
		const { url, calls } = await upstream(() => json({ messages: [{ type: 'choices', text: 'Which?', choices }] }))
		if (!kind) throw new Error('there is no such kind')
		return { admin, calls, server, one: await node({ kind, server, upstream: url }) }
	}
	const choices = [{ title: 'Green tea', value: 'tea-7' }]
	const lateReply: CanonicalReply = {
		messages: [{ type: 'text', text: 'late' }],
		attributes: { session: {}, user: {} },
	}

	test('is told no user in the name of a key, and forgets every key within a day', async () => {
		const { admin, one, server } = await started()
		const late = await openState(server.url)
		testScope.after(late.close)
		await late.state.addLateReply(`in ${user}`, lateReply)
		await claim(late.state, `in ${user}`, 'a claim', 60_000)
		await say(one, 'm1')
		const keys = await admin.keys('*')
		expect(
			keys.filter((key) => key.endsWith(':open') || key.endsWith(':late') || key.endsWith(':answers')),
		).toHaveLength(3)
		expect(keys).toHaveLength(5)
		for (const key of keys) {
			expect(key).toMatch(/^dragoman:/)
			expect(key).not.toContain(user)
			const left = await admin.pttl(key)
			expect(left).toBeGreaterThan(0)
			expect(left).toBeLessThanOrEqual(limits.rememberedTime.value * 3_600_000)
		}
	})

	test('may lose its scripts', async () => {
		const { admin, calls, one } = await started()
		await say(one, 'm1')
		await admin.script('FLUSH')
		await say(one, 'm1')
		expect(calls).toHaveLength(1)
		expect(stateLines(one)).toEqual([])
	})

	test('may have no memory left: turns go on, and a call that waits is not left waiting', async () => {
		const { admin, one, server } = await started()
		const { state, failures, close } = await openState(server.url)
		testScope.after(close)
		const held = await claim(state, 'c', 'call', 60_000)
		const waiting = claim(state, 'c', 'call', 60_000)
		await admin.config('SET', 'maxmemory', '1')
		const fence = 'fence' in held ? held.fence : 0
		await state.settle('c', { claim: { call: 'call', fence, answer: { status: 200, headers: [], body: 'Hello' } } })
		// Nothing was stored, neither the answer nor another claim.
		expect(await waiting).toEqual({ held: false })
		expect(failures.toSorted()).toEqual([
			expect.stringMatching(/^begin: OOM /),
			expect.stringMatching(/^settle: .*OOM /),
		])
		expect((await say(one, 'm1')).status).toBe(200)
		expect(stateLines(one)[0]).toMatchObject({ did: 'begin', cause: expect.stringMatching(/^OOM /) })
		await admin.config('SET', 'maxmemory', '0')
		expect(await claim(state, 'c', 'call', 60_000)).toEqual({ fence: expect.any(Number) })
	})

	test('may refuse what it must store and take the rest: the log does not tell of each turn', async () => {
		const { admin, server } = await started()
		// There is nothing to store of its replies, so that a turn's second step succeeds.
		const { url } = await upstream()
		if (!kind) throw new Error('there is no such kind')
		const one = await node({ kind, server, upstream: url })
		await admin.config('SET', 'maxmemory', '1')
		const turns = 20
		for (let n = 0; n < turns; n++) await say(one, `m${n}`)
		expect(stateLines(one)[0]).toMatchObject({ level: 'warn', did: 'begin' })
		expect(stateLines(one).length).toBeLessThan(turns / 2)
	})

	test('may drop anything at any time', async () => {
		const { admin, server } = await started(['--maxmemory-policy', 'allkeys-lru'])
		const { state, failures, close } = await openState(server.url)
		testScope.after(close)
		const answer = { status: 200, headers: [], body: 'Hello' }
		const fenceOf = async (call: string) => {
			const held = await claim(state, 'c', call, 60_000)
			return 'fence' in held ? held.fence : 0
		}
		const settled = await fenceOf('settled')
		await state.settle('c', { claim: { call: 'settled', fence: settled, answer } })
		const dropped = await fenceOf('dropped')
		for (const key of await admin.keys('*')) if (!key.endsWith(':answers')) await admin.del(key)
		await state.settle('c', { claim: { call: 'dropped', fence: dropped, answer } })
		expect(await openChoices(state, 'c')).toEqual([])
		for (const call of ['settled', 'dropped'])
			expect(await claim(state, 'c', call, 1)).toEqual({ fence: expect.any(Number) })
		expect(failures).toEqual([])
	})

	test('is subscribed to once on each connection, where a failure is heard', async () => {
		const { admin } = await started()
		const subscribed = async (): Promise<number> => {
			const [, calls = 0] = /^cmdstat_subscribe:calls=(\d+)/m.exec(await admin.info('commandstats')) ?? []
			return Number(calls)
		}
		const listening = async (): Promise<number> => [await admin.call('pubsub', 'channels')].flat().length
		await expect.poll(listening, { timeout: 10_000 }).toBe(1)
		for (let n = 0; n < 2; n++) {
			const before = await subscribed()
			await admin.call('client', 'kill', 'type', 'pubsub')
			await expect.poll(subscribed, { timeout: 10_000 }).toBeGreaterThan(before)
			// A second subscription would come at once.
			await wait(200)
			expect(await subscribed()).toBe(before + 1)
		}
	})

	test('after a failover that left its connections to the old primary, who waits is woken by the new one', async () => {
		if (!kind) throw new Error('there is no such kind')
		const [old, next] = [await kind.start(testScope), await kind.start(testScope)]
		const address = await startNetwork(testScope, old.port)
		const url = old.url.replace(`:${old.port}`, `:${address.port}`)
		const [one, other] = [await openState(url), await openState(url)]
		for (const each of [one, other]) testScope.after(each.close)
		const answer = { status: 200, headers: [], body: 'Hello' }
		let calls = 0
		/** Whether a call that waits for the same one at the other gateway has its answer soon after that is there. */
		const isWoken = async (): Promise<boolean> => {
			const call = `call ${calls++}`
			const held = await claim(one.state, 'c', call, 60_000)
			if (!('fence' in held)) return false
			const waiting = claim(other.state, 'c', call, 60_000)
			await wait(200)
			await settle(one.state, 'c', call, held.fence, answer)
			const got = await Promise.race([waiting, wait(2000)])
			return got !== undefined && 'answer' in got
		}
		await expect.poll(isWoken, { timeout: 20_000 }).toBe(true)
		await old.setReadOnly(true)
		address.leadTo(next.port)
		await expect.poll(isWoken, { timeout: 30_000 }).toBe(true)
	}, 60_000)

	test('may grant no more than the page for Node names', async () => {
		const { admin, server } = await started()
		const page = readFileSync(new URL('../../docs/deploy-node.md', import.meta.url), 'utf8')
		const [, rights = ''] = /^- \*\*User and rights in Valkey or Redis\.\*\*.*`(.+)`/m.exec(page) ?? []
		await admin.call('acl', 'setuser', 'limited', 'reset', 'on', '>another-password', ...rights.split(' '))
		const { state, failures, close } = await openState(
			server.url.replace('//:', '//limited:').replace(kind?.password ?? '', 'another-password'),
		)
		testScope.after(close)
		const held = await claim(state, 'c', 'call', 60_000)
		const waiting = claim(state, 'c', 'call', 60_000)
		await new Promise((done) => setTimeout(done, 50))
		const answer = { status: 200, headers: [], body: 'Hello' }
		await state.settle('c', { claim: { call: 'call', fence: 'fence' in held ? held.fence : 0, answer } })
		expect(await waiting).toEqual({ answer })
		await state.addLateReply('c', lateReply)
		expect(await state.takeLateReplies('c')).toEqual([lateReply])
		expect(failures).toEqual([])
		expect(await admin.call('acl', 'log')).toEqual([])
	})

	test.skipIf(!has('openssl'))(
		'may have two faults in its TLS at once: turns go on, and nothing is thrown',
		async () => {
			if (!kind) throw new Error('there is no such kind')
			const home = folder(testScope)
			certify(home)
			const [cert, key] = ['cert.pem', 'key.pem'].map((name) => readFileSync(join(home, name)))
			const server = createTlsServer({ cert, key }).on('tlsClientError', () => {})
			const { port } = await listening(server)
			// A certificate that nobody trusts, and right behind the handshake a record that is not encrypted.
			const line = createServer((client) => {
				const behind = connect({ port, host: '127.0.0.1' })
				for (const socket of [client, behind]) socket.on('error', () => {})
				client.pipe(behind)
				behind.on('data', (bytes) => client.write(Buffer.concat([bytes, Buffer.from('15030300020232', 'hex')])))
			})
			const broken = await listening(line)
			const { url } = await upstream()
			const gateway = await nodeProcess({ kind, server: { url: `valkeys://localhost:${broken.port}` }, upstream: url })
			expect((await say(gateway, 'm1')).status).toBe(200)
			expect(stateLines(gateway)[0]).toMatchObject({ cause: expect.stringContaining('self-signed certificate') })
			expect(gateway.lines.filter(({ msg }) => msg === 'uncaught')).toEqual([])
		},
	)

	test('may refuse the password: turns go on, and the log says why', async () => {
		const server = await startValkey(testScope)
		const { url } = await upstream()
		if (!kind) throw new Error('there is no such kind')
		const wrong = { url: server.url.replace(kind.password, `${kind.password}-wrong`) }
		const one = await node({ kind, server: wrong, upstream: url })
		expect((await say(one, 'm1')).status).toBe(200)
		expect(stateLines(one)[0]).toMatchObject({
			did: 'connect',
			cause: expect.stringMatching(/^WRONGPASS /),
		})
	})
})
