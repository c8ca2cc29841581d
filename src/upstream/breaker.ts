/** Circuit breaker: opens after repeated failures, and then lets a probe through now and then until one succeeds. */

/** Consecutive failures that open the circuit. */
const failureThreshold = 5
/** Milliseconds between probes while the circuit is open. */
const probeInterval = 500

/** The breaker of one endpoint. Times are those of `Runtime.elapsed`, in milliseconds. */
export interface Breaker {
	/** The circuit is open: only probes are let through. */
	readonly isOpen: boolean
	/** Milliseconds until the endpoint may be called; 0: now. */
	retryIn(now: number): number
	/** Records the start of a call. While the circuit is open, the call is a probe, and schedules the next one. */
	onStart(now: number): void
	/** Records a success, which closes the circuit. Returns true if it was open. */
	onSuccess(): boolean
	/** Records a failure. Returns true if this failure opened the circuit. */
	onFailure(now: number): boolean
	/** Blocks calls for the given milliseconds, as Retry-After demands. Returns true unless it was backing off already. */
	backOff(now: number, milliseconds: number): boolean
}

/** A breaker whose circuit is closed. */
export function createBreaker(): Breaker {
	let failures = 0
	let nextProbe = 0
	let blockedUntil = 0
	const isOpen = () => failures >= failureThreshold

	return {
		get isOpen() {
			return isOpen()
		},
		retryIn(now) {
			return Math.max(0, blockedUntil - now, isOpen() ? nextProbe - now : 0)
		},
		onStart(now) {
			nextProbe = now + probeInterval
		},
		onSuccess() {
			const wasOpen = isOpen()
			failures = 0
			return wasOpen
		},
		onFailure(now) {
			failures++
			// Later failures come from calls already in flight, or from probes, which have scheduled the next probe.
			if (failures !== failureThreshold) return false
			nextProbe = now + probeInterval
			return true
		},
		backOff(now, milliseconds) {
			const isNew = milliseconds > 0 && blockedUntil <= now
			blockedUntil = Math.max(blockedUntil, now + milliseconds)
			return isNew
		},
	}
}
