/** One address of an upstream, with its circuit breaker and its retry budget. */
import { type Breaker, createBreaker } from './breaker.ts'

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

/** An address with what is known of it; routes that share an upstream share its targets. */
export interface Endpoint {
	/** Absolute, may have a query of its own, which is kept. */
	readonly url: string
	readonly breaker: Breaker
	readonly budget: RetryBudget
}

/** An address of which nothing is known yet. */
export function createEndpoint(url: string): Endpoint {
	return { url, breaker: createBreaker(), budget: createRetryBudget() }
}
