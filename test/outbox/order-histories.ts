/** The order of a conversation in random histories: events come, succeed, fail, and the process starts anew. Knows no store. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Batch, Committed } from '../../src/node/outbox/store.ts'
import type { StoredOutcome } from '../../src/node/outbox/stored-outcomes.ts'
import { batchOf, entry } from './rig.ts'

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
export const histories: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 40 })

interface OrderedStore {
	commit(batch: Batch): Committed | Promise<Committed>
	close(): void | Promise<void>
}

/**
 * Lives a history through; `open` opens the store anew, as the next process does. Rejects where an event went that may not,
 * or one did not go.
 */
export async function liveThrough(
	steps: readonly Step[],
	open: () => OrderedStore | Promise<OrderedStore>,
	order: 'block' | 'overtake',
): Promise<void> {
	const events = new Map<string, Known>()
	let store = await open()
	let underWay: string[] = []

	async function commit(
		comes: readonly { id: string; lane: string | undefined }[],
		outcomes: readonly StoredOutcome[],
	): Promise<void> {
		const entries = comes.map(({ id, lane }) => entry(id, lane))
		const { claimed } = await store.commit(batchOf({ entries, outcomes, room: { in: 1000 } }))
		for (const { id } of claimed) take(id)
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
		const before = earlier.filter(({ failed }) => order === 'block' || !failed)
		assert.deepEqual(before, [], `${id} went before`)
	}
	async function end(id: string, how: string): Promise<void> {
		const event = events.get(id)
		if (!event) return
		underWay = underWay.filter((each) => each !== id)
		if (how === 'failed') event.failed = true
		else event.ended = true
		const error = 'upstream-status' as const
		if (how === 'delivered') await commit([], [{ id, result: 'delivered' }])
		else if (how === 'dead') await commit([], [{ id, result: 'dead', error }])
		else await commit([], [{ id, result: 'failed', error, nextAt: 0 }])
	}

	for (const each of steps) {
		if ('restarts' in each) {
			await store.close()
			underWay = []
			store = await open()
			await commit([], [])
		} else if ('ends' in each) {
			const id = underWay[each.ends % Math.max(1, underWay.length)]
			if (id !== undefined) await end(id, each.how)
		} else {
			const number = events.size
			events.set(`e${number}`, { number, lane: each.comes, failed: false, ended: false })
			await commit([{ id: `e${number}`, lane: each.comes }], [])
		}
	}
	// In the end all are delivered: none was forgotten behind another.
	for (let left = events.size; left > 0 && underWay.length > 0; ) {
		await end(underWay[0] ?? '', 'delivered')
		if (underWay.length === 0) left = 0
	}
	const forgotten = [...events.values()].filter(({ ended }) => !ended)
	assert.deepEqual(forgotten, [], 'forgotten')
	await store.close()
}
