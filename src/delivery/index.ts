/** What was accepted, on its way to the upstream or to a platform's API: one engine, whose outcomes the store of each runtime applies. */
export { type Accepted, attempt, type Clock, type DeliveryContext } from './attempt.ts'
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
