/** What is asked of a store at the same time goes into one batch. */
import { setImmediate as round, setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type BatchLimits, batched } from '../../src/node/state/batches.ts'

/** A store that holds each batch until the test answers it. */
function rig(limits: Partial<BatchLimits> = {}) {
	const sent: { readonly asks: readonly number[]; answer(): void }[] = []
	const ask = batched<number, number>(
		(asks) => {
			const { promise, resolve } = Promise.withResolvers<readonly number[]>()
			sent.push({ asks, answer: () => resolve(asks) })
			return promise
		},
		{ underWay: 2, asks: 64, patience: 60_000, ...limits },
	)
	return { ask, sent, asks: () => sent.map(({ asks }) => asks) }
}

test('what is asked in one round leaves together, and a second batch beside the first', async () => {
	const { ask, asks } = rig()
	for (const n of [1, 2]) void ask(n)
	await round()
	void ask(3)
	await round()
	void ask(4)
	await round()
	expect(asks()).toEqual([[1, 2], [3]])
})

test('where asks collect, they leave when the batch before them has returned', async () => {
	const { ask, sent, asks } = rig({ collect: 60_000 })
	const first = ask(1)
	await round()
	for (const n of [2, 3]) {
		void ask(n)
		await round()
	}
	expect(asks()).toEqual([[1]])
	sent[0]?.answer()
	expect(await first).toBe(1)
	await round()
	expect(asks()).toEqual([[1], [2, 3]])
})

test('they do not wait for a batch that is slow', async () => {
	const { ask, asks } = rig({ collect: 1 })
	void ask(1)
	await round()
	void ask(2)
	await wait(50)
	expect(asks()).toEqual([[1], [2]])
})
