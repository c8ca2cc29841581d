/**
 * What the outbox promises over every store: when it tries, when it gives up, and in which place pushes go. Knows no store
 * itself. What only one store has is elsewhere: the log and the disk of the file, and the processes, clocks and connections
 * of PostgreSQL.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { OutboxSettings } from '../../src/config/index.ts'
import type { Fields } from '../../src/format/index.ts'
import { openOutbox } from '../../src/node/outbox/open-outbox.ts'
import { openRecords } from '../../src/node/outbox/open-records.ts'
import type { RemoteStore } from '../../src/node/outbox/store-client.ts'
import type { LogLine, Runtime } from '../../src/runtime.ts'
import { gatewayTo, upstream } from '../servers.ts'
import { outboxOn } from './parts.ts'
import { batchOf, delivery, entry, testClock } from './rig.ts'
import type { StoreKind, TestStore } from './store-suite.ts'

const [second, minute] = [1000, 60_000]
const start = Date.parse('2030-01-01')
const all = { in: 1000 }

interface Given {
	/** Of the outbox. */
	readonly given?: object
	/** An outbox that was used before. Absent: one that is empty. */
	readonly settings?: OutboxSettings
	readonly from?: number
	/** Of the upstream's answers. */
	readonly headers?: Fields
}

/** The store, and a wait until nothing is stored any more. */
function watched(store: TestStore): { readonly store: RemoteStore; settled(): Promise<void> } {
	let committing: Promise<unknown> | undefined
	return {
		store: {
			...store,
			async commit(batch) {
				const commit = store.commit(batch)
				committing = commit.catch(() => {})
				try {
					return await commit
				} finally {
					committing = undefined
				}
			},
		},
		async settled() {
			while (committing) {
				await committing
				// What was claimed is delivered, and that is the next commit.
				await new Promise(setImmediate)
			}
		},
	}
}

/** Registers the tests for a kind of store. */
export function deliverySuite(kind: StoreKind): void {
	/** An outbox whose upstream answers a text with a status. */
	async function outboxWith(status: (text: string) => number | Promise<number>, options: Given = {}) {
		const { given = {}, from = start, headers = [] } = options
		const settings = options.settings ?? (await kind.settingsOf(given))
		const { store, settled } = watched(await kind.storeOf(settings, from))
		const clock = testClock(from, settled)
		return { ...outboxOn(store, settings, status, clock, headers), settings }
	}

	test(`${kind.name}: an event that always fails follows the schedule, and becomes exactly one dead letter`, async () => {
		const given = { schedule: ['0s', '5s', '30s', '2m'] }
		const poisoned = (text: string) => (text === 'poison' ? 500 : 200)
		const { outbox, attempts, clock, lines, settings } = await outboxWith(poisoned, { given })
		await outbox.accept([delivery('e1', 'c1', 'poison')])
		await outbox.accept([delivery('e2', 'c2', 'fine')])
		await outbox.accept([delivery('e3', 'c1', 'behind')])
		await outbox.accept([delivery('e4', undefined, 'alone')])
		await clock.pass(second)
		expect(attempts.map(({ text }) => text).toSorted()).toEqual(['alone', 'fine', 'poison'])
		await clock.pass(5 * minute)
		const tries = attempts.filter(({ text }) => text === 'poison')
		expect(tries).toHaveLength(4)
		expect(new Set(tries.map(({ body }) => body)).size).toBe(1)
		const waits = [5 * second, 30 * second, 2 * minute]
		waits.forEach((wait, i) => {
			const waited = (tries[i + 1]?.at ?? 0) - (tries[i]?.at ?? 0)
			// The timers and the store's clock may be a second apart.
			expect(waited).toBeGreaterThanOrEqual(wait * 0.8 - second)
			expect(waited).toBeLessThanOrEqual(wait * 1.2 + second)
		})
		// What was behind it goes as soon as it is dead, and was not tried before.
		const behind = attempts.filter(({ text }) => text === 'behind')
		expect(behind).toHaveLength(1)
		expect(behind[0]?.at).toBeGreaterThanOrEqual(tries[3]?.at ?? Number.NaN)
		const dead = lines.filter((line) => line.dead)
		expect(dead).toMatchObject([{ level: 'error', msg: 'delivery', turn: 'e1', attempt: 4, error: 'upstream-status' }])
		expect(await rowsIn(settings)).toMatchObject([{ id: 'e1', state: 'dead', attempts: 4 }])
	})

	test(`${kind.name}: with overtaking, other events of its conversation do not wait`, async () => {
		const poisoned = (text: string) => (text === 'poison' ? 500 : 200)
		const { outbox, attempts, clock } = await outboxWith(poisoned, { given: { order: 'overtake' } })
		await outbox.accept([delivery('e1', 'c1', 'poison')])
		await outbox.accept([delivery('e2', 'c1', 'behind')])
		await clock.pass(second)
		expect(attempts.map(({ text }) => text)).toEqual(['poison', 'behind'])
	})

	test(`${kind.name}: an expired event gets the attempt in progress, and no other`, async () => {
		const given = { expiry: '20s', schedule: ['0s', '5s', '60s', '60s'] }
		const { outbox, attempts, clock } = await outboxWith(() => 500, { given })
		await outbox.accept([delivery('e1')])
		await clock.pass(4 * minute)
		expect(attempts).toHaveLength(3)
	})

	test(`${kind.name}: the next process continues the schedule where it was`, async () => {
		const first = await outboxWith(() => 500, { given: { schedule: ['0s', '2m', '2m'] } })
		await first.outbox.accept([delivery('e1')])
		await first.clock.pass(minute)
		await first.outbox.close(0)
		const next = await outboxWith(() => 500, { settings: first.settings, from: first.clock.now() })
		await next.clock.pass(10 * second)
		expect([first.attempts.length, next.attempts.length]).toEqual([1, 0])
		await next.clock.pass(5 * minute)
		expect(next.attempts).toHaveLength(2)
	})

	test(`${kind.name}: the concurrency of a route is limited`, async () => {
		let most = 0
		let now = 0
		const open = Promise.withResolvers<void>()
		const counted = async () => {
			most = Math.max(most, ++now)
			await open.promise
			now--
			return 200
		}
		const { outbox, attempts, clock } = await outboxWith(counted, { given: { concurrency: 3 } })
		for (let i = 0; i < 10; i++) await outbox.accept([delivery(`e${i}`)])
		await clock.pass(10)
		expect(attempts).toHaveLength(3)
		open.resolve()
		await clock.pass(3 * second)
		expect(attempts).toHaveLength(10)
		expect(most).toBe(3)
	})

	test(`${kind.name}: a delivery that never ends counts as failed some time after its timeout`, async () => {
		let asked = 0
		const { outbox, clock, lines } = await outboxWith(() => (++asked === 1 ? new Promise<number>(() => {}) : 200))
		await outbox.accept([delivery('e1')])
		await clock.pass(12 * second)
		expect(asked).toBe(1)
		await clock.pass(12 * second)
		expect(asked).toBe(2)
		expect(lines).toMatchObject([
			{ error: 'upstream-timeout', attempt: 1 },
			{ level: 'info', attempt: 2 },
		])
	})

	test(`${kind.name}: an event of a removed route waits without attempts, and is logged at the start`, async () => {
		const { outbox, attempts, clock, lines, settings } = await outboxWith(() => 200)
		await outbox.accept([{ ...delivery('e1'), route: 'gone' }])
		await clock.pass(10 * second)
		expect([attempts, lines]).toEqual([[], []])
		await outbox.close(0)
		const next = await outboxWith(() => 200, { settings, from: clock.now() })
		expect(next.lines).toMatchObject([{ level: 'warn', msg: 'outbox', route: 'gone' }])
	})

	test.each([
		['seconds', 429, '120', 120],
		['a date', 503, new Date(start + 120_000).toUTCString(), 120],
		['garbage', 503, 'soon', 0],
		['less than its turn', 503, '1', 0],
	])(`${kind.name}: Retry-After in %s is kept, and never shortens the schedule`, async (_, status, header, least) => {
		const headers: Fields = [['retry-after', header]]
		const { outbox, attempts, clock } = await outboxWith(() => status, { given: { schedule: ['0s', '1m'] }, headers })
		await outbox.accept([delivery('e1')])
		await clock.pass(0)
		expect(attempts).toHaveLength(1)
		await clock.pass(Math.max(60 * 0.8, least) * second - 2 * second)
		expect(attempts).toHaveLength(1)
		await clock.pass(60 * 0.4 * second + 4 * second)
		expect(attempts).toHaveLength(2)
	})

	test(`${kind.name}: an upstream that is gone for good gets no second attempt`, async () => {
		const { outbox, attempts, lines, clock } = await outboxWith(() => 410, { given: { schedule: ['0s', '5s'] } })
		await outbox.accept([delivery('e1')])
		await clock.pass(0)
		expect(lines).toMatchObject([{ msg: 'delivery', upstreamStatus: 410, dead: true }])
		await clock.pass(minute)
		expect(attempts).toHaveLength(1)
	})

	test(`${kind.name}: a dead letter that is put back is delivered behind its conversation, with all attempts ahead`, async () => {
		let status = 410
		const { outbox, attempts, clock, settings } = await outboxWith((text) => (text === 'first' ? status : 503))
		await outbox.accept([delivery('e1', 'c', 'first')])
		await outbox.accept([delivery('e2', 'c', 'second')])
		await clock.pass(0)
		expect(attempts.map(({ text }) => text)).toEqual(['first', 'second'])
		status = 200
		const records = await openRecords(settings)
		onTestFinished(() => records.close())
		expect(await records.redrive({ state: 'dead' }, () => {})).toBe(1)
		await clock.pass(3 * second)
		expect(attempts.map(({ text }) => text)).toEqual(['first', 'second'])
		// Whoever is in front of it is deleted.
		expect(await records.drop({ id: 'e2' }, () => {})).toBe(1)
		await clock.pass(3 * second)
		expect(attempts.map(({ text }) => text)).toEqual(['first', 'second', 'first'])
	})

	test(`${kind.name}: an event that is too large is refused, with the limit`, async () => {
		const { outbox } = await outboxWith(() => 200, { given: { maxBytes: 1024 * 1024 } })
		const refused = outbox.accept([delivery('e1', undefined, 'x'.repeat(131_072))])
		await expect(refused).rejects.toMatchObject({ code: 'event-too-large', context: { limit: 131_072 } })
	})

	test(`${kind.name}: on close, deliveries in progress finish and are recorded`, async () => {
		const open = Promise.withResolvers<number>()
		const { outbox, attempts, clock, settings, lines } = await outboxWith(() => open.promise)
		await outbox.accept([delivery('e1', 'c1')])
		await outbox.accept([delivery('e2', 'c1')])
		await clock.pass(10)
		outbox.drain()
		const closed = outbox.close(second)
		open.resolve(200)
		await closed
		await expect(outbox.accept([delivery('e3')])).rejects.toMatchObject({ code: 'outbox-failed' })
		expect(attempts).toHaveLength(1)
		expect(lines).toMatchObject([{ turn: 'e1', level: 'info' }])
		const next = await kind.storeOf(settings, clock.now())
		expect((await next.commit(batchOf({ now: clock.now(), room: all }))).claimed).toMatchObject([{ id: 'e2' }])
	})

	test(`${kind.name}: while the circuit is open, events wait without using up attempts`, async () => {
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
		const schedule = ['0s', ...Array<string>(100).fill('1s')]
		const settings = await kind.settingsOf({ schedule, order: 'overtake', concurrency: 10 })
		const outbox = await openOutbox(settings, () => routes, { ...runtime, send, log })
		onTestFinished(() => outbox.close(0))
		const startedAt = performance.now()
		for (let i = 0; i < 60; i++) {
			const body = JSON.stringify({ version: 1, event: { id: `e${i}`, conversation: 'c', text: '1' } })
			await outbox.accept([{ ...delivery(`e${i}`), request: { ...delivery(`e${i}`).request, body } }])
		}
		await expect.poll(() => told.filter(({ state }) => state === 'circuit open').length).toBe(1)
		await wait(1500)
		// Five until it opens with those that were under way, and then a probe every half second.
		expect(attempts).toBeLessThanOrEqual(5 + 10 + 1 + (performance.now() - startedAt) / 500)
		// What counts is what was sent.
		const counted = async () => (await rowsIn(settings)).reduce((sum, row) => sum + row.attempts, 0)
		await expect.poll(async () => (await counted()) - attempts, { timeout: 10_000 }).toBe(0)
		failing = false
		const came = () => new Set(calls.map(({ body }) => JSON.parse(body).event.id)).size
		await expect.poll(came, { timeout: 20_000 }).toBe(60)
		expect(told.filter(({ dead }) => dead)).toEqual([])
	})

	const pushesOf = (id: string, count = 2) =>
		Array.from({ length: count }, (_, i) => ({ id: `${id}-${i + 1}`, payload: `"${id}-${i + 1}"` }))
	const delivered = (id: string, pushes?: ReturnType<typeof pushesOf>) =>
		({ id, result: 'delivered', ...(pushes && { pushes }) }) as const

	/** Delivers one after the other, and tells in which order. */
	async function drain(store: TestStore): Promise<string[]> {
		const order: string[] = []
		for (;;) {
			const outcomes = order.slice(-1).map((id) => delivered(id))
			const [next] = (await store.commit(batchOf({ now: 10, room: { in: 1 }, outcomes }))).claimed
			if (!next) return order
			order.push(next.id)
		}
	}

	test.each(['block', 'overtake'])(`${kind.name}: the pushes of an event take its place, with "%s"`, async (order) => {
		const store = await kind.storeOf(await kind.settingsOf({ order }))
		const entries = [entry('a', 'c'), entry('b', 'c'), entry('other', 'd')]
		const { claimed } = await store.commit(batchOf({ entries, room: all }))
		expect(claimed.map(({ id }) => id).toSorted()).toEqual(['a', 'other'])
		await store.commit(batchOf({ outcomes: [delivered('a', pushesOf('a')), delivered('other')] }))
		expect(await drain(store)).toEqual(['a-1', 'a-2', 'b'])
	})

	test(`${kind.name}: a push that fails is not overtaken by those behind it, even with "overtake"`, async () => {
		const store = await kind.storeOf(await kind.settingsOf({ order: 'overtake' }))
		await store.commit(batchOf({ entries: [entry('a', 'c')], room: all }))
		await store.commit(batchOf({ outcomes: [delivered('a', pushesOf('a'))] }))
		expect((await store.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'a-1' }])
		const nextAt = 5 * minute
		const failed = { id: 'a-1', result: 'failed', error: 'push-failed', nextAt, keepsOrder: true } as const
		expect((await store.commit(batchOf({ outcomes: [failed], room: all }))).claimed).toEqual([])
		const later = batchOf({ now: nextAt + second, room: all })
		expect((await store.commit(later)).claimed).toMatchObject([{ id: 'a-1', failed: 1 }])
	})

	test(`${kind.name}: what is accepted together is stored together or not at all`, async () => {
		const store = await kind.storeOf(await kind.settingsOf({ maxBytes: 1_048_576 }))
		const rows = Array.from({ length: 9 }, (_, i) => ({ id: `p-${i}`, payload: 'x'.repeat(120_000) }))
		const entries = [{ route: 'in', conversation: 'c', rows }, entry('small')]
		expect(await store.commit(batchOf({ entries, room: all }))).toMatchObject({
			entries: ['outbox-full', undefined],
			claimed: [{ id: 'small' }],
		})
	})

	test(`${kind.name}: an event that is under way is nobody else’s while its process lives, and interrupted for the next`, async () => {
		const settings = await kind.settingsOf({})
		const first = await kind.storeOf(settings)
		const underWay = { ...entry('held', 'c'), underWay: true } as const
		const { claimed } = await first.commit(batchOf({ entries: [underWay, entry('behind', 'c')], room: all }))
		expect(claimed).toEqual([])
		await first.close()
		const next = await kind.storeOf(settings)
		expect((await next.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'held', interrupted: true }])
		const pushes = pushesOf('held', 1)
		await next.commit(batchOf({ outcomes: [{ id: 'held', result: 'dead', error: 'late-answer-lost', pushes }] }))
		expect(await drain(next)).toEqual(['held-1', 'behind'])
		await next.close()
		const records = await openRecords(settings)
		expect(await records.redrive({ state: 'dead' }, () => {})).toBe(1)
		await records.close()
		// Whoever puts it back decides that it may be sent again.
		const last = await kind.storeOf(settings)
		expect((await last.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'held', interrupted: false }])
		await last.commit(batchOf({ outcomes: [delivered('held', pushesOf('held', 3))] }))
		expect(await drain(last)).toEqual(['held-1', 'held-2', 'held-3'])
	})
}

/** What is stored. */
async function rowsIn(settings: OutboxSettings) {
	const records = await openRecords(settings)
	try {
		return await records.list({}, 1000)
	} finally {
		await records.close()
	}
}
