/** How the file holds pushes: in the place of their event, together or not at all, and for the next process. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openAdmin } from '../../src/node/outbox/admin.ts'
import { batchOf, entry, settingsOf, storeOf } from './parts.ts'

const all = { in: 1000 }
const pushesOf = (id: string, count = 2) =>
	Array.from({ length: count }, (_, i) => ({ id: `${id}-${i + 1}`, payload: `"${id}-${i + 1}"` }))
const delivered = (id: string, pushes?: ReturnType<typeof pushesOf>) =>
	({ id, result: 'delivered', ...(pushes && { pushes }) }) as const

/** Delivers one after the other, and tells in which order. */
function drain(store: ReturnType<typeof storeOf>): string[] {
	const order: string[] = []
	for (;;) {
		const { claimed } = store.commit(
			batchOf({ now: 10, room: { in: 1 }, outcomes: order.slice(-1).map((id) => delivered(id)) }),
		)
		const [next] = claimed
		if (!next) return order
		order.push(next.id)
	}
}

test.each(['block', 'overtake'])('the pushes of an event take its place in its conversation, with "%s"', (order) => {
	const store = storeOf(settingsOf({ order }))
	const entries = [entry('a', 'c'), entry('b', 'c'), entry('other', 'd')]
	const { claimed } = store.commit(batchOf({ entries, room: all }))
	expect(claimed.map(({ id }) => id)).toEqual(['a', 'other'])
	store.commit(batchOf({ outcomes: [delivered('a', pushesOf('a')), delivered('other')] }))
	expect(drain(store)).toEqual(['a-1', 'a-2', 'b'])
})

test('a push that fails is not overtaken by those behind it, even with "overtake"', () => {
	const store = storeOf(settingsOf({ order: 'overtake' }))
	store.commit(batchOf({ entries: [entry('a', 'c')], room: all }))
	store.commit(batchOf({ outcomes: [delivered('a', pushesOf('a'))] }))
	expect(store.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'a-1' }])
	const failed = { id: 'a-1', result: 'failed', error: 'push-failed', nextAt: 100, keepsOrder: true } as const
	expect(store.commit(batchOf({ outcomes: [failed], room: all })).claimed).toEqual([])
	expect(store.commit(batchOf({ now: 100, room: all })).claimed).toMatchObject([{ id: 'a-1', failed: 1 }])
})

test('what is accepted together is stored together or not at all', () => {
	const store = storeOf(settingsOf({ maxBytes: 1_048_576 }))
	const rows = Array.from({ length: 8 }, (_, i) => ({ id: `p-${i}`, payload: 'x'.repeat(120_000) }))
	const entries = [{ route: 'in', conversation: 'c', rows }, entry('small')]
	expect(store.commit(batchOf({ entries, room: all }))).toMatchObject({
		entries: ['outbox-full', undefined],
		claimed: [{ id: 'small' }],
	})
})

test('an event that is under way is nobody else’s while its process lives, and interrupted for the next one', () => {
	const settings = settingsOf({})
	const first = storeOf(settings)
	const underWay = { ...entry('held', 'c'), underWay: true } as const
	expect(first.commit(batchOf({ entries: [underWay, entry('behind', 'c')], room: all })).claimed).toEqual([])
	first.close()
	const second = storeOf(settings)
	expect(second.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'held', interrupted: true }])
	second.commit(
		batchOf({ outcomes: [{ id: 'held', result: 'dead', error: 'late-answer-lost', pushes: pushesOf('held', 1) }] }),
	)
	expect(drain(second)).toEqual(['held-1', 'behind'])
	second.close()
	const admin = openAdmin(settings)
	expect(admin.redrive({ state: 'dead' }, () => {})).toBe(1)
	admin.close()
	// Whoever puts it back decides that it may be sent again.
	const third = storeOf(settings)
	expect(third.commit(batchOf({ room: all })).claimed).toMatchObject([{ id: 'held', interrupted: false }])
	third.commit(batchOf({ outcomes: [delivered('held', pushesOf('held', 3))] }))
	expect(drain(third)).toEqual(['held-1', 'held-2', 'held-3'])
})

test('an event that an earlier release stored is followed by its pushes', () => {
	const settings = settingsOf({})
	const first = storeOf(settings)
	first.commit(batchOf({ entries: [entry('a', 'c'), entry('b', 'c')] }))
	first.close()
	const db = new DatabaseSync(settings.file)
	// It left no places between two events.
	db.exec('UPDATE events SET seq = 1 + (SELECT count(*) FROM events AS each WHERE each.seq < events.seq)')
	db.close()
	const second = storeOf(settings)
	second.commit(batchOf({ room: all }))
	second.commit(batchOf({ outcomes: [delivered('a', pushesOf('a'))] }))
	expect(drain(second)).toEqual(['a-1', 'a-2', 'b'])
})
