/** What every store of the outbox promises. Knows no store itself: it runs over the file and over PostgreSQL. */
import { expect, test } from 'vitest'
import type { OutboxSettings } from '../../src/config/index.ts'
import { openRecords } from '../../src/node/outbox/open-records.ts'
import type { Batch, Committed } from '../../src/node/outbox/store.ts'
import { batchOf, entry } from './rig.ts'

/** A store that is open, as a process has it. */
export interface TestStore {
	/** The routes that had waiting events when it was opened. */
	readonly routes: readonly string[]
	/** `now` of the batches may be later than before: then that much time has passed. */
	commit(batch: Batch): Promise<Committed>
	close(): Promise<void>
}

/** One kind of store. Everything ends with the test. */
export interface StoreKind {
	readonly name: string
	/** The settings that a configuration makes, with an outbox that is empty. */
	settingsOf(given: object): Promise<OutboxSettings>
	/** Other settings for the same outbox. */
	changed(settings: OutboxSettings, given: object): OutboxSettings
	/** Opens the outbox as a process does that was never there before. */
	storeOf(settings: OutboxSettings, now?: number): Promise<TestStore>
	/** Changes a bit of what is stored of an event. */
	spoil(settings: OutboxSettings, id: string): Promise<void>
	/** Counts so many more processes as having ended while they delivered an event. */
	addInterruptions(settings: OutboxSettings, id: string, count: number): Promise<void>
}

const delivered = (id: string) => ({ id, result: 'delivered' }) as const
const dead = (id: string) => ({ id, result: 'dead', error: 'upstream-status' }) as const
const all = { in: 1000 }
const day = 86_400_000

/** Registers the tests for a kind of store. */
export function storeSuite({ name, settingsOf, changed, storeOf, spoil, addInterruptions }: StoreKind): void {
	/** The ids of all stored events, in order. */
	async function idsIn(settings: OutboxSettings): Promise<string[]> {
		const records = await openRecords(settings)
		try {
			return (await records.list({}, 1000)).map(({ id }) => id)
		} finally {
			await records.close()
		}
	}

	test(`${name}: stored events are there for the next process, byte for byte`, async () => {
		const settings = await settingsOf({})
		const payload = JSON.stringify({ text: 'Grüße 👋\u0000\ud800' })
		const first = await storeOf(settings)
		expect(await first.commit(batchOf({ entries: [entry('e1', 'c', payload)] }))).toMatchObject({
			entries: [undefined],
		})
		await first.close()
		const { claimed } = await (await storeOf(settings)).commit(batchOf({ room: all }))
		// Half a pair of surrogates is no character, in no encoding.
		expect(claimed).toMatchObject([{ id: 'e1', payload: payload.toWellFormed(), failed: 0 }])
	})

	test(`${name}: an event is claimed with the batch that stores it, if there is room and it is due`, async () => {
		const store = await storeOf(await settingsOf({}))
		const { claimed } = await store.commit(
			batchOf({
				entries: [entry('a1', 'a'), entry('a2', 'a'), entry('b1', 'b'), entry('x'), entry('y')],
				room: { in: 3 },
			}),
		)
		expect(claimed.map(({ id, payload }) => [id, payload]).toSorted()).toEqual([
			...[
				['a1', '"a1"'],
				['b1', '"b1"'],
				['x', '"x"'],
			],
		])
		const next = await store.commit(batchOf({ outcomes: [delivered('a1'), delivered('b1')], room: { in: 9 } }))
		expect(next.claimed.map(({ id, payload }) => [id, payload]).toSorted()).toEqual([
			...[
				['a2', '"a2"'],
				['y', '"y"'],
			],
		])
	})

	test(`${name}: an event that is stored twice is delivered once, and those behind it follow`, async () => {
		const settings = await settingsOf({ retention: { delivered: '1h' } })
		const store = await storeOf(settings)
		const two = [entry('a1', 'a'), entry('a2', 'a')]
		await store.commit(batchOf({ entries: two }))
		expect((await store.commit(batchOf({ entries: two, room: all }))).claimed).toMatchObject([{ id: 'a1' }])
		await store.commit(batchOf({ outcomes: [delivered('a1')] }))
		const again = await store.commit(batchOf({ entries: [...two, entry('a3', 'a')], room: all }))
		expect(again.claimed).toMatchObject([{ id: 'a2' }])
		const last = await store.commit(batchOf({ outcomes: [delivered('a2')], room: all }))
		expect(last.claimed).toMatchObject([{ id: 'a3' }])
		expect(await idsIn(settings)).toEqual(['a1', 'a2', 'a3'])
	})

	test(`${name}: an event with a changed bit becomes a dead letter and is not delivered`, async () => {
		for (const given of [{}, { key: { env: 'ONE' } }]) {
			const settings = await settingsOf(given)
			const store = await storeOf(settings)
			await store.commit(batchOf({ entries: [entry('e1', 'c'), entry('e2', 'c')] }))
			await store.close()
			await spoil(settings, 'e1')
			const again = await storeOf(settings)
			expect((await again.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'e1', payload: undefined }])
			expect((await again.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'e2', payload: '"e2"' }])
		}
	})

	test(`${name}: a key can be rotated while events of the old one wait; without it the outbox does not open`, async () => {
		const settings = await settingsOf({ key: { env: 'ONE' } })
		const first = await storeOf(settings)
		await first.commit(batchOf({ entries: [entry('e1', 'c')] }))
		await first.close()
		const both = changed(settings, { key: [{ env: 'TWO' }, { env: 'ONE' }] })
		const second = await storeOf(both)
		await second.commit(batchOf({ entries: [entry('e2', 'c')] }))
		// The order of the conversation holds over the change.
		expect((await second.commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'e1', payload: '"e1"' }])
		await second.close()
		const two = changed(settings, { key: { env: 'TWO' } })
		const why = /has data encrypted with the key [0-9a-f]{8}, which is not config/
		await expect(storeOf(two)).rejects.toThrow(why)
		const third = await storeOf(both)
		await third.commit(batchOf({ room: all }))
		const next = await third.commit(batchOf({ outcomes: [delivered('e1')], room: all }))
		expect(next.claimed).toMatchObject([{ id: 'e2' }])
		await third.close()
		const { claimed } = await (await storeOf(two)).commit(batchOf({ room: all }))
		expect(claimed).toMatchObject([{ id: 'e2', payload: '"e2"' }])
	})

	test(`${name}: when it is full, events are rejected, and accepted again once others are delivered`, async () => {
		const store = await storeOf(await settingsOf({ maxBytes: 1024 * 1024 }))
		const payload = 'x'.repeat(3000)
		const stored: string[] = []
		let refused = 0
		for (let i = 0; refused === 0; i++) {
			const two = [`e${i}`, `f${i}`]
			const { entries } = await store.commit(batchOf({ entries: two.map((id) => entry(id, undefined, payload)) }))
			entries.forEach((code, j) => {
				if (code === undefined) stored.push(two[j] ?? '')
				else refused++
			})
			expect(i).toBeLessThan(1000)
		}
		expect(stored.length).toBeGreaterThan(150)
		const claimed: string[] = []
		for (let ids = ['']; ids.length > 0; claimed.push(...ids)) {
			ids = (await store.commit(batchOf({ room: all }))).claimed.map(({ id }) => id)
		}
		expect(claimed.toSorted()).toEqual(stored.toSorted())
		await store.commit(batchOf({ outcomes: claimed.map(delivered) }))
		const { entries } = await store.commit(batchOf({ entries: [entry('late', undefined, payload)] }))
		expect(entries).toEqual([undefined])
	})

	test(`${name}: old dead letters are deleted, and the oldest if there are too many; waiting events never are`, async () => {
		const settings = await settingsOf({ retention: { dead: '1d', delivered: '1h', maxBytes: 1000 } })
		const store = await storeOf(settings)
		const many = Array.from({ length: 10 }, (_, i) => entry(`e${i}`, undefined, 'x'.repeat(200)))
		const minute = 60_000
		await store.commit(batchOf({ entries: many, room: all }))
		await store.commit(batchOf({ now: 1000, outcomes: [dead('e0'), delivered('e1'), dead('e2')] }))
		await store.commit(batchOf({ now: 2000, outcomes: [dead('e3')] }))
		await store.commit(batchOf({ now: 5000, outcomes: [dead('e4'), dead('e5'), delivered('e6')] }))
		const left = async () => (await idsIn(settings)).map((id) => id.slice(1)).join('')
		expect(await left()).toBe('0123456789')
		// 7 of 204 bytes are over 1000: the delivered ones, and the oldest dead one.
		expect((await store.commit(batchOf({ now: 10 * minute }))).crowdedOut).toBe(3)
		expect(await left()).toBe('2345789')
		const later = [dead('e7'), dead('e8')]
		await store.commit(batchOf({ now: 12 * minute, outcomes: later }))
		await store.commit(batchOf({ now: day + 5 * minute }))
		expect(await left()).toBe('789')
		await store.commit(batchOf({ now: 10 * day }))
		expect(await left()).toBe('9')
	})

	test(`${name}: events in progress when a process ended are taken over by the next process only`, async () => {
		const settings = await settingsOf({})
		const first = await storeOf(settings)
		expect(
			(await first.commit(batchOf({ entries: [entry('e1', 'c'), entry('e2', 'c')], room: all }))).claimed,
		).toHaveLength(1)
		expect((await first.commit(batchOf({ room: all }))).claimed).toEqual([])
		await first.close()
		// The event is given up at its 100th interruption. To start a hundred processes takes long, so most are only counted.
		const onlyCounted = 90
		for (let ends = 1; ends < 100 - onlyCounted; ends++) {
			if (ends === 5) await addInterruptions(settings, 'e1', onlyCounted)
			const store = await storeOf(settings)
			const { claimed } = await store.commit(batchOf({ room: all }))
			expect(claimed).toMatchObject([{ id: 'e1', failed: 0, interrupted: true }])
			await store.close()
		}
		// It may be what ends them.
		expect((await (await storeOf(settings)).commit(batchOf({ room: all }))).claimed).toMatchObject([{ id: 'e2' }])
	})

	test(`${name}: an outcome that is reported twice counts once`, async () => {
		const store = await storeOf(await settingsOf({}))
		await store.commit(batchOf({ entries: [entry('e1')], room: all }))
		const failed = { id: 'e1', result: 'failed', error: 'upstream-status', nextAt: 0 } as const
		await store.commit(batchOf({ outcomes: [failed, failed] }))
		expect((await store.commit(batchOf({ room: all }))).claimed).toMatchObject([{ failed: 1 }])
	})

	test(`${name}: an attempt that failed waits for its time, and a postponed one counts as none`, async () => {
		const store = await storeOf(await settingsOf({}))
		await store.commit(batchOf({ entries: [entry('e1'), entry('e2')], room: all }))
		const error = 'overloaded' as const
		const { nextAt } = await store.commit(
			batchOf({
				outcomes: [
					{ id: 'e1', result: 'failed', error, nextAt: 3_600_000 },
					{ id: 'e2', result: 'postponed', error, until: 7_200_000 },
				],
				room: all,
			}),
		)
		expect(nextAt).toBeGreaterThan(3_500_000)
		expect(nextAt).toBeLessThanOrEqual(3_600_000)
		const claimedAt = async (now: number) => (await store.commit(batchOf({ now, room: all }))).claimed
		expect(await claimedAt(3_400_000)).toEqual([])
		expect(await claimedAt(3_700_000)).toMatchObject([{ id: 'e1', failed: 1 }])
		expect(await claimedAt(7_300_000)).toMatchObject([{ id: 'e2', failed: 0, interrupted: false }])
	})

	test(`${name}: pushes take the place of their event, and a second round replaces the first`, async () => {
		const settings = await settingsOf({})
		const store = await storeOf(settings)
		const pushes = [1, 2].map((n) => ({ id: `a-${n}`, payload: `"a-${n}"` }))
		await store.commit(batchOf({ entries: [entry('a', 'c'), entry('b', 'c')], room: all }))
		const went: string[] = []
		let outcomes: Batch['outcomes'] = [{ id: 'a', result: 'delivered', pushes }]
		for (let rounds = 0; rounds < 5; rounds++) {
			const { claimed } = await store.commit(batchOf({ outcomes, room: all }))
			went.push(...claimed.map(({ id }) => id))
			outcomes = claimed.map(({ id }) => delivered(id))
		}
		expect(went).toEqual(['a-1', 'a-2', 'b'])
		expect(await idsIn(settings)).toEqual([])
	})

	test(`${name}: of ten thousand events, each one is stored and claimed once`, async () => {
		const store = await storeOf(await settingsOf({}))
		const ids = Array.from({ length: 10_000 }, (_, i) => `e${i}`)
		for (let i = 0; i < ids.length; i += 1000) {
			const { entries } = await store.commit(batchOf({ entries: ids.slice(i, i + 1000).map((id) => entry(id)) }))
			expect(entries.filter((code) => code !== undefined)).toEqual([])
		}
		const claimed: string[] = []
		for (let some = ['']; some.length > 0; claimed.push(...some)) {
			some = (await store.commit(batchOf({ room: all }))).claimed.map(({ id }) => id)
		}
		expect(claimed.toSorted()).toEqual(ids.toSorted())
	})

	test(`${name}: the order can be changed for events that are already stored`, async () => {
		const settings = await settingsOf({})
		const first = await storeOf(settings)
		await first.commit(batchOf({ entries: [entry('a1', 'a'), entry('a2', 'a'), entry('a3', 'a')], room: { in: 9 } }))
		await first.commit(batchOf({ outcomes: [{ id: 'a1', result: 'failed', error: 'upstream-status', nextAt: 0 }] }))
		await first.close()
		const idsAt = async (order: 'block' | 'overtake') => {
			const store = await storeOf(changed(settings, { order }))
			const { claimed } = await store.commit(batchOf({ room: { in: 9 } }))
			await store.close()
			return claimed.map(({ id }) => id)
		}
		expect((await idsAt('overtake')).toSorted()).toEqual(['a1', 'a2'])
		expect(await idsAt('block')).toEqual(['a1'])
	})
}
