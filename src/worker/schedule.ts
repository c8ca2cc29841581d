/** When an event that could not be delivered is tried again. */

const [second, minute, hour] = [1000, 60_000, 3_600_000]

/** Milliseconds before each attempt. */
const waits = [0, 5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour]

/** By this part of it a wait is longer or shorter, so that events that failed together do not come back together. */
const jitter = 0.2

/** Attempts in all. */
export const attempts = waits.length

/** Milliseconds until the next attempt when so many have failed; undefined after the last. `chance` is of 0 to 1. */
export function waitAfter(failed: number, chance: number = Math.random()): number | undefined {
	const wait = waits[failed]
	return wait === undefined ? undefined : Math.round(wait * (1 + jitter * (2 * chance - 1)))
}
