/** When an accepted event is tried: the schedule of attempts, as arithmetic without a clock. */

const [second, minute, hour] = [1000, 60_000, 3_600_000]

/** Part of a wait by which it is made longer or shorter at random: events that failed together do not return together. */
const jitter = 0.2

export interface Schedule {
	/** Milliseconds before each attempt, the first one included. */
	readonly schedule: readonly number[]
	/** Milliseconds after its acceptance from which a failed attempt is the last one. */
	readonly expiry: number
}

/** The schedule of a configuration that sets none: eight attempts in 28 hours. */
export const defaultSchedule: Schedule = {
	schedule: [0, 5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour],
	expiry: 72 * hour,
}

/** Milliseconds that a dead letter is kept where a configuration does not say. */
export const defaultDeadRetention = 30 * 24 * hour

/** What an event has behind it. */
export interface History {
	/** Attempts that failed. */
	readonly failed: number
	/** Milliseconds since 1970. */
	readonly acceptedAt: number
}

/** When the first attempt is due. `chance` is from 0 to 1. */
export function firstAttempt({ schedule }: Schedule, now: number, chance: number): number {
	return now + withJitter(schedule[0] ?? 0, chance)
}

/** When the next attempt is due; undefined: never, the event is a dead letter. `chance` is from 0 to 1. */
export function nextAttempt(
	{ schedule, expiry }: Schedule,
	{ failed, acceptedAt }: History,
	now: number,
	chance: number,
): number | undefined {
	const wait = schedule[failed]
	if (wait === undefined || now - acceptedAt >= expiry) return undefined
	return now + withJitter(wait, chance)
}

/** The longest that any event may have to wait for its next attempt. */
export function longestWait({ schedule }: Schedule): number {
	return withJitter(Math.max(...schedule), 1)
}

function withJitter(wait: number, chance: number): number {
	return Math.round(wait * (1 - jitter + 2 * jitter * chance))
}
