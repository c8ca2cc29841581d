/** When an event is tried: arithmetic that holds for every schedule and every history. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keepsItsTimes } from './attempts.ts'
import { settingsOf } from './parts.ts'

test('each attempt is due after the one before, a fifth more or less than its wait, until there are no more', () => {
	fc.assert(keepsItsTimes, { numRuns: 100_000 })
})

test('the schedule that nobody has set is the one of the documents', () => {
	const { schedule, expiry } = settingsOf({})
	const [second, minute, hour] = [1000, 60_000, 3_600_000]
	expect(schedule).toEqual([0, 5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour])
	expect(expiry).toBe(72 * hour)
})
