import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalReplies } from './arbitraries.ts'
import { drawnOnce } from './drawn-once.ts'

const seed = 42

/** What a law sees. */
function seenOf<T>(arbitrary: fc.Arbitrary<T>, numRuns: number): T[] {
	const seen: T[] = []
	fc.assert(
		fc.property(arbitrary, (value) => void seen.push(value)),
		{ seed, numRuns },
	)
	return seen
}

test('laws see the values that they would see without it, in the same order, and draw them once', () => {
	let drawn = 0
	const replies = canonicalReplies().map((reply) => {
		drawn++
		return reply
	})
	const shared = drawnOnce(replies)
	const first = seenOf(shared, 100)
	expect(drawn).toBe(100)
	const second = seenOf(shared, 150)
	expect(drawn).toBe(150)
	expect(second.slice(0, 100).every((value, i) => value === first[i])).toBe(true)
	expect(second).toStrictEqual(seenOf(canonicalReplies(), 150))
})

test('other seeds draw other values', () => {
	const shared = drawnOnce(fc.string({ minLength: 20 }))
	const samples = [1, 2].map((seed) => fc.sample(shared, { seed, numRuns: 10 }))
	expect(samples[0]).not.toEqual(samples[1])
})

test('a value that breaks a law is shrunk, for each law that it breaks', () => {
	const shared = drawnOnce(fc.tuple(fc.nat(), fc.array(fc.nat())))
	const smallest = (holds: (n: number, list: number[]) => boolean) =>
		fc.check(
			fc.property(shared, ([n, list]) => holds(n, list)),
			{ seed },
		).counterexample
	expect(smallest((n) => n < 100)).toEqual([[100, []]])
	expect(smallest((_, list) => list.length < 2)).toEqual([[0, [0, 0]]])
	expect(smallest((n) => n < 100)).toEqual([[100, []]])
})
