/** What follows from an attempt to deliver: the rules that every store applies. */
import type { ErrorCode, GatewayError } from '../errors.ts'
import type { PushDelivery } from '../runtime.ts'
import { PushError } from './push-call.ts'
import { type History, nextAttempt, type Schedule } from './schedule.ts'

/** How an attempt ended. Times are milliseconds since 1970. `reason`: the words of a platform's API. */
export type Outcome =
	/** `pushes` take its place. Absent: there are none. */
	| { readonly result: 'delivered'; readonly pushes?: readonly PushDelivery[] }
	| { readonly result: 'failed'; readonly error: ErrorCode; readonly reason?: string; readonly nextAt: number }
	/** The upstream was not called, so no attempt is used up. */
	| { readonly result: 'postponed'; readonly error: ErrorCode; readonly until: number }
	/** The last attempt failed: it is a dead letter. `pushes` are delivered instead. */
	| {
			readonly result: 'dead'
			readonly error: ErrorCode
			readonly reason?: string
			readonly pushes?: readonly PushDelivery[]
	  }

/**
 * What follows from an attempt that failed with this error. `failed` counts the earlier attempts that failed, `chance` is
 * from 0 to 1. `final`: there is no other attempt, unless the upstream was not even called.
 */
export function outcomeOfFailure(
	thrown: GatewayError,
	{ failed, acceptedAt }: History,
	schedule: Schedule,
	now: number,
	chance: number,
	final: boolean,
): Outcome {
	const { code: error, context } = thrown
	const { upstreamStatus, retryAfter = 0 } = context
	const allowedAt = now + retryAfter * 1000
	if (error === 'upstream-circuit-open' || error === 'overloaded')
		return { result: 'postponed', error, until: allowedAt }
	const why = { error, ...reasonOf(thrown) }
	const dead: Outcome = { result: 'dead', ...why }
	// Gone: the upstream says that it will never take the event.
	if (final || upstreamStatus === 410) return dead
	const nextAt = nextAttempt(schedule, { failed: failed + 1, acceptedAt }, now, chance)
	if (nextAt === undefined) return dead
	return { result: 'failed', ...why, nextAt: Math.max(nextAt, allowedAt) }
}

function reasonOf(thrown: GatewayError): { readonly reason?: string } {
	if (!(thrown instanceof PushError)) return {}
	const { apiStatus } = thrown.context
	// With a good status, it is the answer itself that is wrong.
	const status = apiStatus !== undefined && apiStatus <= 299 ? undefined : apiStatus
	const words = [status, thrown.reason].filter((word) => word !== undefined)
	return words.length === 0 ? {} : { reason: words.join(' ') }
}
