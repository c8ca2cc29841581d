/** The order of a conversation, for random histories of successes, failures and new starts. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { histories, historyOf } from './histories.ts'
import { batchOf, entry, settingsOf, storeOf } from './parts.ts'

test.each(['block', 'overtake'] as const)(
	'%s: an event goes only when it may, and every event goes',
	(order) => {
		fc.assert(
			fc.property(histories, (steps) => historyOf(steps, storeOf, settingsOf({ order, concurrency: 1000 }))),
			{ numRuns: process.env.FULL ? 1000 : 40 },
		)
	},
	process.env.FULL ? 300_000 : 60_000,
)

test('the other order can be chosen for what is stored already', () => {
	const settings = settingsOf({})
	const first = storeOf(settings)
	first.commit(batchOf({ entries: [entry('a1', 'a'), entry('a2', 'a'), entry('a3', 'a')], room: { in: 9 } }))
	first.commit(batchOf({ outcomes: [{ id: 'a1', result: 'failed', error: 'upstream-status', nextAt: 50 }] }))
	first.close()
	const idsAt = (order: 'block' | 'overtake') => {
		const store = storeOf({ ...settings, order })
		const { claimed } = store.commit(batchOf({ now: 60, room: { in: 9 } }))
		store.close()
		return claimed.map(({ id }) => id)
	}
	expect(idsAt('overtake').toSorted()).toEqual(['a1', 'a2'])
	expect(idsAt('block')).toEqual(['a1'])
})
