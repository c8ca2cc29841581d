/** The outbox in time, with what does not depend on the store or is the file's alone; the rest is in delivery-suite.ts. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openOutbox } from '../../src/node/outbox/open-outbox.ts'
import type { Batch, Entry } from '../../src/node/outbox/store.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import type { Runtime } from '../../src/runtime.ts'
import type { Received } from '../harness/upstream.ts'
import { gatewayTo, upstream } from '../servers.ts'
import { delivery, near, outboxOn, settingsOf, storeOf, testClock } from './parts.ts'

const hour = 3_600_000

/** The ids of the events that came. */
function eventsOf(calls: readonly Received[]): Set<string> {
	return new Set(calls.map(({ body }) => JSON.parse(body).event.id))
}

/** A store whose transactions end when they are told to. */
function slowStore(): RemoteStore & {
	readonly batches: { batch: Batch; end: () => void; fail: (why?: string) => void }[]
} {
	const batches: { batch: Batch; end: () => void; fail: (why?: string) => void }[] = []
	return {
		routes: [],
		batches,
		commit(batch) {
			const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<RemoteStore['commit']>>>()
			const entries = batch.entries.map(() => undefined)
			const end = () => resolve({ entries, claimed: [], nextAt: undefined, crowdedOut: 0 })
			batches.push({ batch, end, fail: (why = 'disk I/O error') => reject(new Error(why)) })
			return promise
		},
		async close() {},
	}
}

const idOf = ({ rows }: Entry) => rows[0]?.id

test('it acknowledges after the transaction, and puts everything that arrived meanwhile into the next one', async () => {
	const store = slowStore()
	const { outbox, clock } = outboxOn(store, settingsOf({}), () => 200)
	store.batches[0]?.end()
	await clock.pass(0)
	const accepted: string[] = []
	const accept = (id: string) => outbox.accept([delivery(id)]).then(() => accepted.push(id))
	const first = accept('e1')
	await clock.pass(0)
	const all = [first, ...['e2', 'e3', 'e4'].map(accept)]
	await clock.pass(100)
	expect(store.batches.map(({ batch }) => batch.entries.map(idOf))).toEqual([[], ['e1']])
	expect(accepted).toEqual([])
	store.batches[1]?.end()
	await clock.pass(0)
	expect(accepted).toEqual(['e1'])
	// The caller of e1 might be back with another event.
	await clock.pass(5)
	expect(store.batches[2]?.batch.entries.map(idOf)).toEqual(['e2', 'e3', 'e4'])
	store.batches[2]?.end()
	await Promise.all(all)
})

test('a failed transaction acknowledges nothing, and nothing is accepted until the file is reopened', async () => {
	const store = slowStore()
	const { outbox, clock, lines } = outboxOn(store, settingsOf({}), () => 200)
	store.batches[0]?.end()
	await clock.pass(0)
	const first = outbox.accept([delivery('e1')])
	await clock.pass(0)
	const both = Promise.allSettled([first, outbox.accept([delivery('e2')])])
	store.batches[1]?.fail()
	const refused = { status: 'rejected', reason: { code: 'outbox-failed', status: 503 } }
	expect(await both).toMatchObject([refused, refused])
	await expect(outbox.accept([delivery('e3')])).rejects.toMatchObject({ code: 'outbox-failed' })
	expect(store.batches).toHaveLength(2)
	await clock.pass(1000)
	expect(store.batches).toHaveLength(3)
	const later = outbox.accept([delivery('e4')])
	store.batches[2]?.end()
	await clock.pass(0)
	store.batches[3]?.end()
	await later
	expect(lines).toMatchObject([
		{ level: 'error', msg: 'outbox', error: 'outbox-failed', cause: 'disk I/O error', failures: 1 },
		{ level: 'info', msg: 'outbox', did: 'recovered', failures: 1 },
	])
})

test('a store that fails for long is logged when it begins, every ten seconds, with each new cause, and when it is over', async () => {
	const store = slowStore()
	const { clock, lines } = outboxOn(store, settingsOf({}), () => 200)
	const said = () => lines.splice(0).map(({ did, cause, failures }) => [did ?? cause, failures])
	const next = async (why?: string) => {
		const batch = store.batches.at(-1)
		if (why === undefined) batch?.end()
		else batch?.fail(why)
		await clock.pass(1000)
	}
	for (let second = 0; second < 25; second++) await next(second === 0 ? 'terminated' : 'refused')
	expect(said()).toEqual([
		['terminated', 1],
		['refused', 2],
		['refused', 12],
		['refused', 22],
	])
	await next()
	await next()
	expect(said()).toEqual([['recovered', 25]])
	// It comes and goes: what the log has just said is not said again.
	for (let times = 0; times < 2; times++) {
		await next('refused')
		await next()
	}
	expect(said()).toEqual([])
	await clock.pass(10_000)
	await next('refused')
	await next()
	expect(said()).toEqual([
		['refused', 28],
		['recovered', 28],
	])
})

test.each([24 * hour, -24 * hour])('a wall clock that jumps by %d ms moves no attempt', async (jump) => {
	const { url, calls } = await upstream()
	const { runtime, routes, close } = await gatewayTo(url)
	onTestFinished(close)
	let off = 0
	const now = () => Date.now() + off
	let failing = true
	const send: Runtime['send'] = async (call) => {
		attempts++
		// A status after which an upstream is not left alone.
		return failing ? { status: 400, headers: [], body: '' } : runtime.send(call)
	}
	let attempts = 0
	const settings = settingsOf({ schedule: ['0s', '1h', '1h'] })
	const outbox = await openOutbox(settings, () => routes, { ...runtime, now, send })
	for (let i = 0; i < 20; i++) await outbox.accept([delivery(`e${i}`)])
	await expect.poll(() => attempts).toBe(20)
	off = jump
	await wait(2500)
	expect(attempts).toBe(20)
	failing = false
	const body = JSON.stringify({ version: 1, event: { id: 'new', conversation: 'c', text: '1' } })
	await outbox.accept([{ ...delivery('new'), request: { ...delivery('new').request, body } }])
	await expect.poll(() => eventsOf(calls).has('new')).toBe(true)
	expect(attempts).toBe(21)
	await outbox.close(1000)
})

test('a Retry-After of ten years counts as one of a day', async () => {
	const clock = testClock(Date.parse('2030-01-01'))
	const settings = settingsOf({ schedule: ['0s', '1h'] })
	const store = near(storeOf(settings, clock.now()))
	const { outbox, attempts } = outboxOn(store, settings, () => 503, clock, [['retry-after', '315360000']])
	await outbox.accept([delivery('e1')])
	await clock.pass(24 * hour - 1)
	expect(attempts).toHaveLength(1)
	await clock.pass(2000)
	expect(attempts).toHaveLength(2)
})
