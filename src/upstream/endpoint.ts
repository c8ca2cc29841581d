/** An endpoint: one URL of an upstream, with its circuit breaker and its retry budget. */
import { type Breaker, createBreaker } from './breaker.ts'

/** Retries that each first attempt earns. */
const earnedPerCall = 0.2

/** Size of a full budget, which is also its size at the start. */
const maxRetries = 10

/** Limits retries to a fifth of the first attempts plus a reserve of ten, so that they cannot overload an endpoint. */
export interface RetryBudget {
	/** Records a first attempt. */
	earn(): void
	/** Takes one retry out of the budget; false if none is left. */
	spend(): boolean
}

/** A full budget. */
export function createRetryBudget(): RetryBudget {
	let retries = maxRetries
	return {
		earn() {
			retries = Math.min(maxRetries, retries + earnedPerCall)
		},
		spend() {
			if (retries < 1) return false
			retries--
			return true
		},
	}
}

/** One URL of an upstream, and its health. Routes that share an upstream share its endpoints. */
export interface Endpoint {
	/** Absolute; may have a query, which every call keeps. */
	readonly url: string
	readonly breaker: Breaker
	readonly budget: RetryBudget
}

/** A new endpoint, with its circuit closed and its budget full. */
export function createEndpoint(url: string): Endpoint {
	return { url, breaker: createBreaker(), budget: createRetryBudget() }
}
