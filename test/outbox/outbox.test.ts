/** The outbox in time: when it acknowledges, when it tries, and when it gives up. */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Fields } from '../../src/format/index.ts'
import { openOutbox } from '../../src/node/outbox/open-outbox.ts'
import type { Batch, Entry } from '../../src/node/outbox/store.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import type { LogLine, Runtime } from '../../src/runtime.ts'
import type { Received } from '../harness/upstream.ts'
import { gatewayTo, upstream } from '../servers.ts'
import { delivery, near, outboxOn, settingsOf, storeOf, type TestClock, testClock } from './parts.ts'

const hour = 3_600_000

/** The ids of the events that came. */
function eventsOf(calls: readonly Received[]): Set<string> {
	return new Set(calls.map(({ body }) => JSON.parse(body).event.id))
}

/** An outbox in this thread, on a file of its own. */
function outboxWith(
	status: (text: string) => number | Promise<number>,
	given: object = {},
	clock: TestClock = testClock(),
	headers: Fields = [],
) {
	const settings = settingsOf(given)
	const store = storeOf(settings, clock.now())
	return { ...outboxOn(near(store), settings, status, clock, headers), settings, store }
}

/** A store whose transactions end when they are told to. */
function slowStore(): RemoteStore & { readonly batches: { batch: Batch; end: () => void; fail: () => void }[] } {
	const batches: { batch: Batch; end: () => void; fail: () => void }[] = []
	return {
		routes: [],
		batches,
		commit(batch) {
			const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<RemoteStore['commit']>>>()
			const entries = batch.entries.map(() => undefined)
			const end = () => resolve({ entries, claimed: [], nextAt: undefined, crowdedOut: 0 })
			batches.push({ batch, end, fail: () => reject(new Error('disk I/O error')) })
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
	const all = ['e1', 'e2', 'e3', 'e4'].map(accept)
	await clock.pass(100)
	expect(store.batches.map(({ batch }) => batch.entries.map(idOf))).toEqual([[], ['e1']])
	expect(accepted).toEqual([])
	store.batches[1]?.end()
	await clock.pass(0)
	expect(accepted).toEqual(['e1'])
	expect(store.batches[2]?.batch.entries.map(idOf)).toEqual(['e2', 'e3', 'e4'])
	store.batches[2]?.end()
	await Promise.all(all)
})

test('a failed transaction acknowledges nothing, and nothing is accepted until the file is reopened', async () => {
	const store = slowStore()
	const { outbox, clock, lines } = outboxOn(store, settingsOf({}), () => 200)
	store.batches[0]?.end()
	await clock.pass(0)
	const both = Promise.allSettled([outbox.accept([delivery('e1')]), outbox.accept([delivery('e2')])])
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
	expect(lines).toMatchObject([{ level: 'error', msg: 'outbox', error: 'outbox-failed', cause: 'disk I/O error' }])
})

test('an event that always fails follows the schedule, and becomes exactly one dead letter', async () => {
	const { outbox, attempts, clock, lines, store } = outboxWith((text) => (text === 'poison' ? 500 : 200))
	const from = clock.now()
	await outbox.accept([delivery('e1', 'c1', 'poison')])
	await outbox.accept([delivery('e2', 'c2', 'fine')])
	await outbox.accept([delivery('e3', 'c1', 'behind')])
	await outbox.accept([delivery('e4', undefined, 'alone')])
	await clock.pass(1000)
	expect(attempts.map(({ text }) => text).toSorted()).toEqual(['alone', 'fine', 'poison'])
	await clock.pass(60 * hour)
	const tries = attempts.filter(({ text }) => text === 'poison')
	expect(tries).toHaveLength(8)
	expect(new Set(tries.map(({ body }) => body)).size).toBe(1)
	const waits = [5000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 10 * hour]
	waits.forEach((wait, i) => {
		const waited = (tries[i + 1]?.at ?? 0) - (tries[i]?.at ?? 0)
		expect(waited).toBeGreaterThanOrEqual(wait * 0.8)
		// The clock of the timers may be asked a second late.
		expect(waited).toBeLessThanOrEqual(wait * 1.2 + 1000)
	})
	// What was behind it goes as soon as it is dead, and was not tried before.
	const behind = attempts.filter(({ text }) => text === 'behind')
	expect(behind).toHaveLength(1)
	expect((behind[0]?.at ?? 0) - (tries[7]?.at ?? 0)).toBeLessThanOrEqual(1000)
	expect(attempts.filter(({ at }) => at < from + 1000)).toHaveLength(3)
	const dead = lines.filter((line) => line.dead)
	expect(dead).toMatchObject([{ level: 'error', msg: 'delivery', turn: 'e1', attempt: 8, error: 'upstream-status' }])
	const batch = { now: clock.now() + hour, entries: [], outcomes: [], room: { in: 9 } }
	expect(store.commit(batch).claimed).toEqual([])
})

test('with overtaking, other events of its conversation do not wait', async () => {
	const { outbox, attempts, clock } = outboxWith((text) => (text === 'poison' ? 500 : 200), { order: 'overtake' })
	await outbox.accept([delivery('e1', 'c1', 'poison')])
	await outbox.accept([delivery('e2', 'c1', 'behind')])
	await clock.pass(1000)
	expect(attempts.map(({ text }) => text)).toEqual(['poison', 'behind'])
})

test('an expired event gets the attempt in progress, and no other', async () => {
	const { outbox, attempts, clock } = outboxWith(() => 500, { expiry: '10m', schedule: ['0s', '1m', '1h', '1h'] })
	await outbox.accept([delivery('e1')])
	await clock.pass(10 * hour)
	expect(attempts).toHaveLength(3)
})

test('the next process continues the schedule where it was', async () => {
	const first = outboxWith(() => 500, { schedule: ['0s', '1h', '1h'] })
	await first.outbox.accept([delivery('e1')])
	await first.clock.pass(hour / 2)
	await first.outbox.close(0)
	const second = outboxOn(near(storeOf(first.settings, first.clock.now())), first.settings, () => 500, first.clock)
	await second.clock.pass(10_000)
	expect([first.attempts.length, second.attempts.length]).toEqual([1, 0])
	await second.clock.pass(10 * hour)
	expect(second.attempts).toHaveLength(2)
})

test('the concurrency of a route is limited, and another route does not wait for it', async () => {
	let most = 0
	let now = 0
	const open = Promise.withResolvers<void>()
	const { outbox, attempts, clock } = outboxWith(
		async () => {
			most = Math.max(most, ++now)
			await open.promise
			now--
			return 200
		},
		{ concurrency: 3 },
	)
	for (let i = 0; i < 10; i++) await outbox.accept([delivery(`e${i}`)])
	await clock.pass(10)
	expect(attempts).toHaveLength(3)
	open.resolve()
	await clock.pass(3000)
	expect(attempts).toHaveLength(10)
	expect(most).toBe(3)
})

test('a delivery that never ends counts as failed some time after its timeout', async () => {
	let asked = 0
	const { outbox, clock, lines } = outboxWith(() => (++asked === 1 ? new Promise<number>(() => {}) : 200))
	await outbox.accept([delivery('e1')])
	await clock.pass(13_000)
	expect(asked).toBe(1)
	await clock.pass(10_000)
	expect(asked).toBe(2)
	expect(lines).toMatchObject([
		{ error: 'upstream-timeout', attempt: 1 },
		{ level: 'info', attempt: 2 },
	])
})

test('an event of a removed route waits without attempts, and is logged at the start', async () => {
	const { outbox, attempts, clock, lines, settings } = outboxWith(() => 200)
	await outbox.accept([{ ...delivery('e1'), route: 'gone' }])
	await clock.pass(hour)
	expect([attempts, lines]).toEqual([[], []])
	await outbox.close(0)
	const next = outboxOn(near(storeOf(settings, clock.now())), settings, () => 200, clock)
	expect(next.lines).toMatchObject([{ level: 'warn', msg: 'outbox', route: 'gone' }])
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

test('while the circuit is open, events wait without using up attempts', async () => {
	const { url, calls } = await upstream()
	const { runtime, routes, close } = await gatewayTo(url)
	onTestFinished(close)
	let failing = true
	let attempts = 0
	const send: Runtime['send'] = async (call) => {
		attempts++
		return failing ? { status: 500, headers: [], body: '' } : runtime.send(call)
	}
	const told: LogLine[] = []
	const log = (line: LogLine) => void told.push(line)
	const settings = settingsOf({ schedule: ['0s', '1s', '1h'], order: 'overtake' })
	const outbox = await openOutbox(settings, () => routes, { ...runtime, send, log })
	for (let i = 0; i < 60; i++) {
		const body = JSON.stringify({ version: 1, event: { id: `e${i}`, conversation: 'c', text: '1' } })
		await outbox.accept([{ ...delivery(`e${i}`), request: { ...delivery(`e${i}`).request, body } }])
	}
	await expect.poll(() => told.filter(({ state }) => state === 'circuit open').length).toBe(1)
	await wait(1500)
	// Five until it is left alone with those that were under way, and then a probe now and then.
	expect(attempts).toBeLessThan(30)
	failing = false
	await expect.poll(() => eventsOf(calls).size, { timeout: 20_000 }).toBe(60)
	expect(told.filter(({ dead }) => dead)).toEqual([])
	await outbox.close(1000)
})

test.each([
	['seconds', 429, '7200', 7200],
	['a date', 503, new Date(Date.parse('2030-01-01') + 7_200_000).toUTCString(), 7200],
	['ten years', 503, '315360000', 86_400],
	['garbage', 503, 'soon', 0],
	['less than its turn', 503, '1', 0],
])('Retry-After in %s is kept, and never shortens the schedule', async (_, status, header, least) => {
	const clock = testClock(Date.parse('2030-01-01'))
	const { outbox, attempts } = outboxWith(() => status, { schedule: ['0s', '1h'] }, clock, [['retry-after', header]])
	await outbox.accept([delivery('e1')])
	await clock.pass(0)
	expect(attempts).toHaveLength(1)
	await clock.pass(Math.max(3600 * 0.8, least) * 1000 - 1)
	expect(attempts).toHaveLength(1)
	await clock.pass(Math.max(3600 * 0.4, 2) * 1000)
	expect(attempts).toHaveLength(2)
})

test('an upstream that is gone for good gets no second attempt', async () => {
	const { outbox, attempts, lines, clock } = outboxWith(() => 410)
	await outbox.accept([delivery('e1')])
	await clock.pass(0)
	expect(lines).toMatchObject([{ msg: 'delivery', upstreamStatus: 410, dead: true }])
	await clock.pass(24 * hour)
	expect(attempts).toHaveLength(1)
})

test('an event that is too large is refused, with the limit', async () => {
	const { outbox } = outboxWith(() => 200, { maxBytes: 1024 * 1024 })
	const refused = outbox.accept([delivery('e1', undefined, 'x'.repeat(131_072))])
	await expect(refused).rejects.toMatchObject({ code: 'event-too-large', context: { limit: 131_072 } })
})

test('on close, deliveries in progress finish and are recorded', async () => {
	const open = Promise.withResolvers<number>()
	const { outbox, attempts, clock, settings, lines } = outboxWith(() => open.promise)
	await outbox.accept([delivery('e1', 'c1')])
	await outbox.accept([delivery('e2', 'c1')])
	await clock.pass(10)
	outbox.drain()
	const closed = outbox.close(1000)
	open.resolve(200)
	await closed
	await expect(outbox.accept([delivery('e3')])).rejects.toMatchObject({ code: 'outbox-failed' })
	expect(attempts).toHaveLength(1)
	expect(lines).toMatchObject([{ turn: 'e1', level: 'info' }])
	const next = storeOf(settings, clock.now())
	expect(next.commit({ now: clock.now(), entries: [], outcomes: [], room: { in: 9 } }).claimed).toMatchObject([
		{ id: 'e2' },
	])
})
