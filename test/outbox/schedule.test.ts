/** When an event is tried: arithmetic that holds for every schedule and every chance. */
import fc from 'fast-check'
import { test } from 'vitest'
import { firstAttempt, longestWait, nextAttempt } from '../../src/delivery/index.ts'

const schedules = fc.record({
	schedule: fc.array(fc.nat(100 * 3_600_000), { minLength: 1, maxLength: 12 }),
	expiry: fc.nat(30 * 86_400_000),
})
const chances = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 })
const moment = fc.integer({ min: 0, max: 4_000_000_000_000 })

test('each attempt is due after the one before, within ±20 % of its delay, until there are no more', () => {
	const property = fc.property(schedules, moment, chances, (given, acceptedAt, chances) => {
		let before = acceptedAt
		let at: number | undefined = firstAttempt(given, acceptedAt, chances[0] ?? 0)
		for (let attempts = 1; ; attempts++) {
			const waited = at - before
			const wait = given.schedule[attempts - 1] ?? Number.NaN
			const within = waited >= Math.floor(wait * 0.8) && waited <= Math.ceil(wait * 1.2)
			if (!within || waited < 0 || waited > longestWait(given)) return false
			before = at
			at = nextAttempt(given, { failed: attempts, acceptedAt }, at, chances[attempts] ?? 0)
			// The last one was the last of the schedule, or too late.
			if (at === undefined) return attempts === given.schedule.length || before - acceptedAt >= given.expiry
			if (before - acceptedAt >= given.expiry) return false
		}
	})
	fc.assert(property, { numRuns: 100_000 })
})
