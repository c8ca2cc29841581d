/**
 * Slows down the commits that no caller waits for. When a delivery has ended, its outcome is stored and the next event is claimed; while a
 * backlog is drained that has no end, and would be a commit for every few deliveries. So the store has a pause after each
 * commit, in which outcomes gather. The busier the database, the machine or this process is, the longer a commit takes, and
 * the fewer and larger they become.
 */
import type { Clock } from '../../delivery/index.ts'

/** The pause is so many times as long as the commit before it: the drain has a seventh of the store's time. */
const times = 6
/** Milliseconds of the longest pause. A commit that took longer was held up by something else. */
const longest = 100

export interface Pace {
	/** Makes a commit; then the pause begins. */
	measure<T>(commit: () => Promise<T>): Promise<T>
	/** When the pause is over. */
	readonly pausesUntil: number
}

export function createPace({ now }: Pick<Clock, 'now'>): Pace {
	let pausesUntil = Number.NEGATIVE_INFINITY
	return {
		async measure(commit) {
			const from = now()
			const committed = await commit()
			const to = now()
			pausesUntil = to + Math.min(longest, times * (to - from))
			return committed
		},
		get pausesUntil() {
			return pausesUntil
		},
	}
}
