/**
 * Lets what is to be stored gather between two commits. The busier the database, the machine or this process is, the longer
 * a commit takes, and the fewer and larger they become.
 *
 * - Outcomes of deliveries, for which no caller waits: when a delivery has ended, its outcome is stored and the next event
 *   is claimed; while a backlog is drained that has no end, and would be a commit for every few deliveries. So the store
 *   has a pause after each commit.
 * - New events: those who were answered together come back with their next events shortly after each other. The first of
 *   them would have a commit of its own, and all others would wait for its end.
 */
import type { Clock } from '../../delivery/index.ts'

/** The pause is so many times as long as the commit before it: the drain has a seventh of the store's time. */
const times = 6
/** Milliseconds of the longest pause. A commit that took longer was held up by something else. */
const longest = 100
/** Milliseconds that a new event waits for others at most. */
const longestForNew = 5

export interface Pace {
	/** Makes a commit; then the pause begins. */
	measure<T>(commit: () => Promise<T>): Promise<T>
	/** When the pause is over. */
	readonly pausesUntil: number
	/** When a new event waits no longer for others: after the commit's time once more. */
	readonly gathersUntil: number
}

export function createPace({ now }: Pick<Clock, 'now'>): Pace {
	let pausesUntil = Number.NEGATIVE_INFINITY
	let gathersUntil = Number.NEGATIVE_INFINITY
	return {
		async measure(commit) {
			const from = now()
			const committed = await commit()
			const to = now()
			pausesUntil = to + Math.min(longest, times * (to - from))
			gathersUntil = to + Math.min(longestForNew, to - from)
			return committed
		},
		get pausesUntil() {
			return pausesUntil
		},
		get gathersUntil() {
			return gathersUntil
		},
	}
}
