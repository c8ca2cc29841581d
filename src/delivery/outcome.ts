/** What follows from an attempt to deliver: the rules that every store applies. */
import type { ErrorCode, GatewayError } from '../errors.ts'
import { type History, nextAttempt, type Schedule } from './schedule.ts'

/** How an attempt ended. Times are milliseconds since 1970. */
export type Outcome =
	| { readonly result: 'delivered' }
	| { readonly result: 'failed'; readonly error: ErrorCode; readonly nextAt: number }
	/** The upstream was not called, so no attempt is used up. */
	| { readonly result: 'postponed'; readonly error: ErrorCode; readonly until: number }
	/** The last attempt failed: the event is a dead letter. */
	| { readonly result: 'dead'; readonly error: ErrorCode }

/**
 * What follows from an attempt that failed with this error. `failed` counts the earlier attempts that failed, `chance` is
 * from 0 to 1.
 */
export function outcomeOfFailure(
	{ code: error, context: { upstreamStatus, retryAfter = 0 } }: GatewayError,
	{ failed, acceptedAt }: History,
	schedule: Schedule,
	now: number,
	chance: number,
): Outcome {
	const allowedAt = now + retryAfter * 1000
	if (error === 'upstream-circuit-open' || error === 'overloaded')
		return { result: 'postponed', error, until: allowedAt }
	// Gone: the upstream says that it will never take the event.
	if (upstreamStatus === 410) return { result: 'dead', error }
	const nextAt = nextAttempt(schedule, { failed: failed + 1, acceptedAt }, now, chance)
	if (nextAt === undefined) return { result: 'dead', error }
	return { result: 'failed', error, nextAt: Math.max(nextAt, allowedAt) }
}
