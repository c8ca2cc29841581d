/** Bounds how much repeated calls add to the load of an upstream that is in trouble. */

/** Repeats that each call earns: a fifth. */
const share = 0.2
/** Repeats that can be saved up, which is also what there is at the start. */
const most = 10

/** The repeats that one target may still be asked for: a fifth of its first calls, and ten that were saved up. */
export interface RetryBudget {
	/** A first call was made. */
	earn(): void
	/** Takes one repeat out of the budget; false: there is none left. */
	spend(): boolean
}

/** A full budget. */
export function createRetryBudget(): RetryBudget {
	let saved = most
	return {
		earn() {
			saved = Math.min(most, saved + share)
		},
		spend() {
			if (saved < 1) return false
			saved--
			return true
		},
	}
}
