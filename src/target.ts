/** One address of an upstream, and how it fares. */
import { type Breaker, createBreaker } from './breaker.ts'
import { createRetryBudget, type RetryBudget } from './retry-budget.ts'

/** An address with what is known of it; routes that share an upstream share its targets. */
export interface Target {
	/** Absolute, may have a query of its own, which is kept. */
	readonly url: string
	readonly breaker: Breaker
	readonly budget: RetryBudget
}

/** An address of which nothing is known yet. */
export function createTarget(url: string): Target {
	return { url, breaker: createBreaker(), budget: createRetryBudget() }
}
