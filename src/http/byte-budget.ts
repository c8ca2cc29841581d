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
		const known = halves.get(origin)
		if (known) return known
		const half = budget.half()
		halves.set(origin, half)
		return half
	}
}

type Code = 'too-many-bodies' | 'too-many-replies'

/** Bytes that are counted now. */
interface Count {
	bytes: number
}

function createBudget(limit: number, code: Code): ByteBudget {
	const all: Count = { bytes: 0 }
	const budget: ByteBudget = {
		limit,
		open: () => new Account(budget, code, all, undefined),
		half() {
			const half: Count = { bytes: 0 }
			return { open: () => new Account(budget, code, all, half) }
		},
	}
	return budget
}

// A class: each body has one.
class Account implements ByteAccount {
	readonly #budget: ByteBudget
	readonly #code: Code
	readonly #all: Count
	readonly #half: Count | undefined
	#read = 0
	#counted = 0

	constructor(budget: ByteBudget, code: Code, all: Count, half: Count | undefined) {
		this.#budget = budget
		this.#code = code
		this.#all = all
		this.#half = half
	}

	add(bytes: number): void {
		const more = Math.max(0, this.#read + bytes - limits.uncountedBodyBytes.value) - this.#counted
		const { limit } = this.#budget
		const isOver = this.#all.bytes + more > limit || (this.#half && this.#half.bytes + more > limit / 2)
		if (isOver) throw new GatewayError(this.#code, { limit, retryAfter })
		this.#read += bytes
		this.#count(more)
	}

	close(): void {
		this.#count(-this.#counted)
	}

	#count(bytes: number): void {
		this.#counted += bytes
		this.#all.bytes += bytes
		if (this.#half) this.#half.bytes += bytes
	}
}
