/** The order of a conversation in random histories: events come, succeed, fail, and the process starts anew. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'vitest'
import type { FileOutboxSettings } from '../../src/config/index.ts'
import type { Store } from '../../src/node/outbox/store.ts'
import type { StoredOutcome } from '../../src/node/outbox/stored-outcomes.ts'
import { batchOf, entry, settingsOf, storeOf } from './parts.ts'

/** What happens next: an event comes, something under way ends, or the process does. */
const step = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ comes: fc.constantFrom('a', 'b', undefined) }) },
	{ weight: 5, arbitrary: fc.record({ ends: fc.nat(9), how: fc.constantFrom('delivered', 'failed', 'dead') }) },
	{ weight: 1, arbitrary: fc.constant({ restarts: true }) },
)
type Step = { comes?: string | undefined } | { ends: number; how: string } | { restarts: boolean }

/** One event as the history knows it. */
interface Known {
	readonly number: number
	readonly lane: string | undefined
	failed: boolean
	ended: boolean
}

/** Random histories of some tens of steps. */
const histories: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 40 })

/** Lives a history through. Throws where an event went that may not, or one did not go. */
function historyOf(
	steps: readonly Step[],
	storeOf: (settings: FileOutboxSettings) => Store,
	settings: FileOutboxSettings,
): void {
	const events = new Map<string, Known>()
	let store: Store = storeOf(settings)
	let underWay: string[] = []

	function commit(
		comes: readonly { id: string; lane: string | undefined }[],
		outcomes: readonly StoredOutcome[],
	): void {
		const entries = comes.map(({ id, lane }) => entry(id, lane))
		for (const { id } of store.commit(batchOf({ entries, outcomes, room: { in: 1000 } })).claimed) take(id)
	}
	function take(id: string): void {
		const event = events.get(id)
		if (!event) throw new Error(`${id} was never accepted`)
		assert(!underWay.includes(id), `${id} was given out twice`)
		underWay.push(id)
		const earlier = [...events.values()].filter(
			({ lane, number, ended }) => lane !== undefined && lane === event.lane && number < event.number && !ended,
		)
		// Blocked: nothing of the conversation is left before it. Overtaking: nothing that never failed.
		const before = earlier.filter(({ failed }) => settings.order === 'block' || !failed)
		assert.deepEqual(before, [], `${id} went before`)
	}
	function end(id: string, how: string): void {
		const event = events.get(id)
		if (!event) return
		underWay = underWay.filter((each) => each !== id)
		if (how === 'failed') event.failed = true
		else event.ended = true
		const error = 'upstream-status' as const
		if (how === 'delivered') commit([], [{ id, result: 'delivered' }])
		else if (how === 'dead') commit([], [{ id, result: 'dead', error }])
		else commit([], [{ id, result: 'failed', error, nextAt: 0 }])
	}

	for (const each of steps) {
		if ('restarts' in each) {
			store.close()
			underWay = []
			store = storeOf(settings)
			commit([], [])
		} else if ('ends' in each) {
			const id = underWay[each.ends % Math.max(1, underWay.length)]
			if (id !== undefined) end(id, each.how)
		} else {
			const number = events.size
			events.set(`e${number}`, { number, lane: each.comes, failed: false, ended: false })
			commit([{ id: `e${number}`, lane: each.comes }], [])
		}
	}
	// In the end all are delivered: none was forgotten behind another.
	for (let left = events.size; left > 0 && underWay.length > 0; ) {
		end(underWay[0] ?? '', 'delivered')
		if (underWay.length === 0) left = 0
	}
	const forgotten = [...events.values()].filter(({ ended }) => !ended)
	assert.deepEqual(forgotten, [], 'forgotten')
	store.close()
}

test.each(['block', 'overtake'] as const)(
	'%s: an event is delivered only when it may be, and every event is delivered',
	(order) => {
		fc.assert(
			fc.property(histories, (steps) => historyOf(steps, storeOf, settingsOf({ order, concurrency: 1000 }))),
			{ numRuns: process.env.FULL ? 1000 : 40 },
		)
	},
	process.env.FULL ? 300_000 : 60_000,
)
