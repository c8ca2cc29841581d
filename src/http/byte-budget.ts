/** The budget for all bodies that are being read at the same time, so that their memory is bounded. */
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

/** Seconds after which a call that was refused may be sent again: most bodies are read at once. */
const retryAfter = 1

/** Opens an account for each body that is read. */
export interface ByteAccounts {
	open(): ByteAccount
}

/** One budget. The budget for calls outlives the app, of which a reload makes another. */
export interface ByteBudget extends ByteAccounts {
	/** Limit in bytes; may be changed at any time. */
	limit: number
	/** Accounts that together get half of the budget. */
	half(): ByteAccounts
}

/** What one body takes of the budget. */
interface ByteAccount {
	/** Counts bytes that have come. The first ones are not counted. Throws if they exceed the budget. */
	add(bytes: number): void
	/** Gives back everything. */
	close(): void
}

/** The budget for the bodies of calls. Its accounts throw `too-many-bodies`. */
export function createBodyBudget(limit: number = limits.bodiesAtOnce.value): ByteBudget {
	return createBudget(limit, 'too-many-bodies')
}

/**
 * The budget for the replies of upstreams, by origin: each gets half of it. Its accounts throw `too-many-replies`. The
 * origins come from the configuration, so there are few.
 */
export function createReplyBudget(limit: number): (origin: string) => ByteAccounts {
	const budget = createBudget(limit, 'too-many-replies')
	const halves = new Map<string, ByteAccounts>()
	return (origin) => {
		const half = halves.get(origin) ?? budget.half()
		halves.set(origin, half)
		return half
	}
}

function createBudget(limit: number, code: 'too-many-bodies' | 'too-many-replies'): ByteBudget {
	const all = { bytes: 0 }
	const open = (half?: { bytes: number }): ByteAccount => {
		let read = 0
		let counted = 0
		const count = (bytes: number): void => {
			counted += bytes
			all.bytes += bytes
			if (half) half.bytes += bytes
		}
		return {
			add(bytes) {
				const more = Math.max(0, read + bytes - limits.uncountedBodyBytes.value) - counted
				const isOver = all.bytes + more > budget.limit || (half && half.bytes + more > budget.limit / 2)
				if (isOver) throw new GatewayError(code, { limit: budget.limit, retryAfter })
				read += bytes
				count(more)
			},
			close: () => count(-counted),
		}
	}
	const budget: ByteBudget = {
		limit,
		open: () => open(),
		half() {
			const half = { bytes: 0 }
			return { open: () => open(half) }
		},
	}
	return budget
}
