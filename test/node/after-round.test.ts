/** What arrives in one round of the event loop is handled together. */
import { setImmediate as nextRound } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { afterRound } from '../../src/node/after-round.ts'

/** A turn of two stages, which says when it is in each. */
function turns(): { readonly begin: (turn: number) => Promise<void>; readonly seen: readonly string[] } {
	const seen: string[] = []
	return {
		seen,
		async begin(turn) {
			await new Promise<void>(afterRound)
			seen.push(`${turn} decodes`)
			await undefined
			seen.push(`${turn} encodes`)
		},
	}
}

test('turns that arrive together go through their stages side by side, in their order', async () => {
	const { begin, seen } = turns()
	await Promise.all([begin(1), begin(2), begin(3)])
	expect(seen).toEqual(['1 decodes', '2 decodes', '3 decodes', '1 encodes', '2 encodes', '3 encodes'])
})

test('a turn that arrives while others begin comes in the next round', async () => {
	const { begin, seen } = turns()
	let later: Promise<void> | undefined
	await Promise.all([
		begin(1),
		new Promise<void>((done) =>
			afterRound(() => {
				later = begin(2)
				done()
			}),
		),
	])
	expect(seen).toEqual(['1 decodes', '1 encodes'])
	await later
	expect(seen).toEqual(['1 decodes', '1 encodes', '2 decodes', '2 encodes'])
})

test('nothing happens before the code that runs has come to its end', async () => {
	const { begin, seen } = turns()
	const first = begin(1)
	await Promise.resolve()
	expect(seen).toEqual([])
	await first
	expect(seen).toHaveLength(2)
})

test('of many turns, the last ones wait for the next rounds, and the event loop goes on between', async () => {
	let begun = 0
	for (let turn = 0; turn < 150; turn++) afterRound(() => void begun++)
	const seen: number[] = []
	while (begun < 150) {
		await nextRound()
		seen.push(begun)
	}
	expect(seen).toEqual([64, 128, 150])
})
