/** Pushes of events in a file of an earlier release; what every store promises of pushes is in delivery-suite.ts. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
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
