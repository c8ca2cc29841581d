/** Moments are written as Date writes them. */
import { expect, test } from 'vitest'
import { rfc3339 } from '../src/rfc3339.ts'

test('a moment is what Date makes of it, also after others of the same place in memory', () => {
	const from = Date.UTC(2026, 10, 29, 2, 21, 54, 7)
	for (const after of [0, 0.9, 1, 992, 993, 8000, 64_000, 0, 128_000, -64_000, 999_999_999]) {
		expect(rfc3339(from + after)).toBe(new Date(from + after).toISOString())
	}
	expect(() => rfc3339(Number.NaN)).toThrow(RangeError)
})
