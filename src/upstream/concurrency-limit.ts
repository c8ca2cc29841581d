/** How many calls of an upstream are under way: a bound, so that one that is slow fills no memory and no other's time. */

/** The calls of one upstream that are under way. Whoever entered leaves once, however the call ended. */
export interface ConcurrencyLimit {
	/** A call begins; false: there are as many as there may be. */
	tryAcquire(): boolean
	release(): void
}

/** At most so many at once. */
export function createConcurrencyLimit(most: number): ConcurrencyLimit {
	let underWay = 0
	return {
		tryAcquire() {
			if (underWay >= most) return false
			underWay++
			return true
		},
		release() {
			underWay--
		},
	}
}
