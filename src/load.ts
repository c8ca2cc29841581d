/** How many calls of an upstream are under way: a bound, so that one that is slow fills no memory and no other's time. */

/** The calls of one upstream that are under way. Whoever entered leaves once, however the call ended. */
export interface Load {
	/** A call begins; false: there are as many as there may be. */
	enter(): boolean
	leave(): void
}

/** At most so many at once. */
export function createLoad(most: number): Load {
	let underWay = 0
	return {
		enter() {
			if (underWay >= most) return false
			underWay++
			return true
		},
		leave() {
			underWay--
		},
	}
}
