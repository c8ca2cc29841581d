/** Accepted events on their way to the upstream: one engine, whose outcomes the store of each runtime applies. */
export { type AcceptedEvent, attempt, type Clock, type DeliveryContext } from './attempt.ts'
export type { Outcome } from './outcome.ts'
export {
	defaultDeadRetention,
	defaultSchedule,
	firstAttempt,
	type History,
	longestWait,
	nextAttempt,
	type Schedule,
} from './schedule.ts'
