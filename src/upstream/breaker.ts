/** Circuit breaker: an upstream that fails again and again is left alone, and tried now and then until it is back. */

/** Failures in a row after which it is left alone. */
const tolerated = 5
/** Milliseconds between the calls that try whether it is back. */
const probeEvery = 500

/** Of one target. Times are those of `Runtime.elapsed`. */
export interface Breaker {
	/** Milliseconds until it may be called; 0: now. */
	retryIn(now: number): number
	/** A call begins. While the target is left alone, the next one has to wait for its time. */
	onStart(now: number): void
	/** A call was answered. Whether the target is back by that. */
	onSuccess(): boolean
	/** A call failed. Whether the target is left alone from now on. */
	onFailure(now: number): boolean
	/** The target asked for so many milliseconds of rest. Whether that is news. */
	backOff(now: number, milliseconds: number): boolean
}

/** A breaker that lets every call through until the target fails. */
export function createBreaker(): Breaker {
	let failures = 0
	let nextProbe = 0
	let restUntil = 0
	const isOpen = () => failures >= tolerated

	return {
		retryIn(now) {
			return Math.max(0, restUntil - now, isOpen() ? nextProbe - now : 0)
		},
		onStart(now) {
			nextProbe = now + probeEvery
		},
		onSuccess() {
			const back = isOpen()
			failures = 0
			return back
		},
		onFailure(now) {
			failures++
			// Later failures are of calls that were under way, or of probes, whose successor has its time already.
			if (failures !== tolerated) return false
			nextProbe = now + probeEvery
			return true
		},
		backOff(now, milliseconds) {
			const news = milliseconds > 0 && restUntil <= now
			restUntil = Math.max(restUntil, now + milliseconds)
			return news
		},
	}
}
