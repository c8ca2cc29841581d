/** Arithmetic of what bounds the calls to an upstream in trouble; times are told, and none passes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBreaker } from '../src/upstream/breaker.ts'
import { createRetryBudget } from '../src/upstream/endpoint.ts'
import { readRetryAfter } from '../src/upstream/retry-after.ts'

/** Calls that all fail, from `from` on, as often as they may. */
function failing(breaker: ReturnType<typeof createBreaker>, from: number, until: number): number[] {
	const calls: number[] = []
	for (let now = from; now < until; now += 10) {
		if (breaker.retryIn(now) > 0) continue
		breaker.onStart(now)
		breaker.onFailure(now)
		calls.push(now)
	}
	return calls
}

test('after five failures in a row there is one call every half second', () => {
	expect(failing(createBreaker(), 0, 2050)).toEqual([0, 10, 20, 30, 40, 540, 1040, 1540, 2040])
})

test('one answer in between keeps the circuit closed', () => {
	const breaker = createBreaker()
	for (let now = 0; now < 1000; now += 10) {
		expect(breaker.retryIn(now)).toBe(0)
		breaker.onStart(now)
		if (now % 50 === 40) expect(breaker.onSuccess()).toBe(false)
		else expect(breaker.onFailure(now)).toBe(false)
	}
})

test('the first answer closes the circuit, and calls that started earlier change nothing', () => {
	const breaker = createBreaker()
	failing(breaker, 0, 100)
	expect(breaker.onFailure(120)).toBe(false)
	expect(breaker.retryIn(120)).toBe(420)
	expect(breaker.retryIn(540)).toBe(0)
	expect(breaker.onSuccess()).toBe(true)
	expect(breaker.retryIn(541)).toBe(0)
})

test('a requested pause lasts, whatever is answered meanwhile', () => {
	const breaker = createBreaker()
	expect(breaker.backOff(0, 5000)).toBe(true)
	expect(breaker.backOff(10, 1000)).toBe(false)
	expect(breaker.onSuccess()).toBe(false)
	expect(breaker.retryIn(1000)).toBe(4000)
	expect(breaker.retryIn(5000)).toBe(0)
})

test('retries are limited to a fifth of the calls, and ten', () => {
	fc.assert(
		fc.property(fc.array(fc.boolean(), { maxLength: 2000, size: 'max' }), (history) => {
			const budget = createRetryBudget()
			let [earned, spent] = [0, 0]
			for (const first of history) {
				if (first) {
					budget.earn()
					earned++
				} else if (budget.spend()) spent++
				expect(spent).toBeLessThanOrEqual(10 + earned * 0.2 + 1e-6)
			}
		}),
	)
	const budget = createRetryBudget()
	const spent = Array.from({ length: 20 }, () => budget.spend()).filter(Boolean)
	expect(spent).toHaveLength(10)
})

const now = Date.parse('2026-03-01T12:00:00Z')
test.each([
	['7', 7000],
	['0', 0],
	[' 30 ', 30_000],
	['Sun, 01 Mar 2026 12:01:00 GMT', 60_000],
	['Sunday, 01-Mar-26 12:01:00 GMT', 60_000],
	['Sun, 01 Mar 2020 12:01:00 GMT', 0],
	['315360000', 86_400_000],
	['Fri, 01 Mar 2036 12:00:00 GMT', 86_400_000],
	['9'.repeat(400), 86_400_000],
	['', undefined],
	['soon', undefined],
	['Soon', undefined],
	['-5', undefined],
	['1.5', undefined],
	['2026-03-01', undefined],
	['7 seconds', undefined],
])('Retry-After: %j', (value, expected) => {
	expect(readRetryAfter([['Retry-After', value]], now)).toBe(expected)
})

test('without Retry-After there is no pause', () => {
	expect(readRetryAfter([['date', '7']], now)).toBeUndefined()
})
