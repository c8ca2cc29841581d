/** Gateways that share their state behind nginx, under load: one is killed, and each is restarted. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hold } from '../harness/held.ts'
import { ownTo } from '../harness/platforms.ts'
import { startPostgres } from '../harness/postgres.ts'
import { start, testScope, upstream } from '../servers.ts'
import { has } from '../tools.ts'
import { listOfShared, nginxOfShared, send, startNginx } from './front.ts'

const when = test.skipIf(!has('nginx') || !has('postgres'))
const postgres = { env: 'DATABASE_URL', migrate: true }
const shared = { ...ownTo('builtin:demo'), outbox: { postgres }, state: { postgres } }
const databaseOf = async () => ({ DATABASE_URL: await (await startPostgres(testScope)).database() })

/** A call through nginx: when it was sent, and how it ended. */
interface Told {
	readonly at: number
	readonly status: number
}

/** Sixteen callers, each with its next call as soon as it has an answer, until they are stopped. */
function load({ port, ca }: { readonly port: number; readonly ca: string }) {
	let going = true
	const calls: Told[] = []
	const callers = Array.from({ length: 16 }, async (_, caller) => {
		for (let n = 0; going; n++) {
			const at = performance.now()
			const event = { kind: 'message', id: `${caller}-${n}`, conversation: `${caller}`, text: 'Hi', attributes: {} }
			const { status } = await send({ port, ca, path: '/own', body: JSON.stringify({ version: 1, event }) })
			calls.push({ at, status })
		}
	})
	return {
		calls,
		async stop() {
			going = false
			await Promise.all(callers)
		},
	}
}

when(
	'when one of three is killed, no call fails that came after it',
	async () => {
		const env = await databaseOf()
		const nodes = [await start(shared, { env }), await start(shared, { env }), await start(shared, { env })] as const
		const { calls, stop } = load(await nginxOfShared(...nodes.map(({ url }) => url)))
		await wait(1000)
		await nodes[1].end('SIGKILL')
		const killed = performance.now()
		await wait(2000)
		await stop()
		const later = calls.filter(({ at }) => at > killed)
		expect(later.length).toBeGreaterThan(16)
		expect(later.filter(({ status }) => status !== 200)).toEqual([])
		// What was in its hands: never more than the callers there are.
		expect(calls.filter(({ status }) => status !== 200).length).toBeLessThanOrEqual(16)
		for (const { lines } of nodes) expect(lines.filter(({ msg }) => msg === 'turn').length).toBeGreaterThan(5)
	},
	120_000,
)

when(
	'when each of two is restarted on its socket, one after the other, no call fails',
	async () => {
		const env = await databaseOf()
		const instances = [hold(testScope, shared, { env }), hold(testScope, shared, { env })]
		const pids = await Promise.all(instances.map(({ gateway }) => gateway(1)))
		const { calls, stop } = load(await nginxOfShared(...instances.map(({ url }) => url())))
		for (const [i, { gateway }] of instances.entries()) {
			await wait(500)
			process.kill(pids[i] ?? 0, 'SIGTERM')
			await gateway(2)
		}
		await wait(500)
		await stop()
		expect(calls.length).toBeGreaterThan(32)
		expect(calls.filter(({ status }) => status !== 200)).toEqual([])
	},
	120_000,
)

when(
	'when one without a held socket is taken out of the list, restarted and put back, no call fails',
	async () => {
		const env = await databaseOf()
		const nodes = [await start(shared, { env }), await start(shared, { env })] as const
		const urls = nodes.map(({ url }) => url)
		const whole = listOfShared('shared', urls)
		const front = await startNginx(whole)
		const { calls, stop } = load(front)
		await wait(500)
		const { host, port } = new URL(nodes[0].url)
		front.reload(whole.replace(`server ${host} `, `server ${host} down `))
		const turns = () => nodes[0].lines.filter(({ msg }) => msg === 'turn').length
		// A second without a turn: it has none in its hands.
		let before = -1
		const isQuiet = () => {
			const now = turns()
			const same = now === before
			before = now
			return same
		}
		await expect.poll(isQuiet, { interval: 1000, timeout: 30_000 }).toBe(true)
		await nodes[0].end('SIGTERM')
		const again = await start(shared, { env: { ...env, PORT: port } })
		front.reload(whole)
		await expect
			.poll(() => again.lines.filter(({ msg }) => msg === 'turn').length, { timeout: 20_000 })
			.toBeGreaterThan(5)
		await stop()
		expect(calls.filter(({ status }) => status !== 200)).toEqual([])
	},
	120_000,
)

when('the list of the compose file leads to all three in turn', async () => {
	const backends = await Promise.all([upstream(), upstream(), upstream()])
	const urls = backends.map(({ url }) => url)
	const front = await startNginx(listOfShared('compose', urls))
	for (let n = 0; n < 6; n++) await send({ ...front, path: '/own', body: '{}' })
	expect(backends.map(({ calls }) => calls.length)).toEqual([2, 2, 2])
})

when('a call is sent to a second one only if the first got nothing of it, be it a POST or a GET', async () => {
	const attempts: string[] = []
	const breaking = await upstream(({ method }, { socket }) => {
		attempts.push(method)
		socket.destroy()
	})
	const serving = await upstream()
	const front = await nginxOfShared(breaking.url, serving.url)
	// After a failure, the first one gets no call for five seconds: each method has its own front.
	const other = await nginxOfShared(breaking.url, serving.url)
	const statuses = async (at: typeof front, method: string) => [
		(await send({ ...at, method, path: '/own' })).status,
		(await send({ ...at, method, path: '/own' })).status,
	]
	// Taking turns, one of two calls reaches the one that breaks, and only that one fails.
	for (const [method, at] of [
		['POST', front],
		['GET', other],
	] as const) {
		expect((await statuses(at, method)).toSorted()).toEqual([200, 502])
	}
	expect(attempts.toSorted()).toEqual(['GET', 'POST'])
	// Where nobody listens, the next one gets it.
	await breaking.shut()
	const gone = await nginxOfShared(breaking.url, serving.url)
	expect(await statuses(gone, 'POST')).toEqual([200, 200])
})
