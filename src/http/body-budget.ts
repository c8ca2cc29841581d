/** The budget for the bodies of all calls that are being read at the same time, so that their memory is bounded. */
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

/** Seconds after which a call that was refused may be sent again: most bodies are read at once. */
const retryAfter = 1

/** One budget. It outlives the app, of which a reload makes another. */
export interface BodyBudget {
	/** Limit in bytes; may be changed at any time. */
	limit: number
	/** Opens the account of a body. Bodies of callers who have not proved their origin get half of the budget. */
	open(isProven: boolean): BodyAccount
}

/** What one body takes of the budget. */
interface BodyAccount {
	/** Counts bytes that have come. The first ones are not counted. Throws `too-many-bodies` if they exceed the budget. */
	add(bytes: number): void
	/** Gives back everything. */
	close(): void
}

export function createBodyBudget(limit: number = limits.bodiesAtOnce.value): BodyBudget {
	let all = 0
	let unproven = 0
	const budget: BodyBudget = {
		limit,
		open(isProven) {
			let read = 0
			let counted = 0
			return {
				add(bytes) {
					const more = Math.max(0, read + bytes - limits.uncountedBodyBytes.value) - counted
					const isOver = all + more > budget.limit || (!isProven && unproven + more > budget.limit / 2)
					if (isOver) throw new GatewayError('too-many-bodies', { limit: budget.limit, retryAfter })
					read += bytes
					counted += more
					all += more
					if (!isProven) unproven += more
				},
				close() {
					all -= counted
					if (!isProven) unproven -= counted
					counted = 0
				},
			}
		},
	}
	return budget
}
