/** Limits the concurrent calls to an upstream, so that a slow one cannot exhaust the gateway. */

/** The concurrency limit of one upstream. Every successful `tryAcquire` must be paired with exactly one `release`. */
export interface ConcurrencyLimit {
	/** Slots that can be taken at the same time. */
	readonly max: number
	/** Slots that are taken now. */
	readonly inUse: number
	/** Takes a slot; false if all are taken. */
	tryAcquire(): boolean
	/** Frees the slot. */
	release(): void
}

/** Allows at most `max` concurrent calls. */
export function createConcurrencyLimit(max: number): ConcurrencyLimit {
	let inFlight = 0
	return {
		max,
		get inUse() {
			return inFlight
		},
		tryAcquire() {
			if (inFlight >= max) return false
			inFlight++
			return true
		},
		release() {
			inFlight--
		},
	}
}
