/** The calls of conversations that are being answered, in the memory of this process. */
import type { Beginning, Settlement } from '../runtime.ts'
import { withTimeout } from '../timeout.ts'

/** Calls that are held until their claim is settled, or its lease has run out. */
export interface CallsUnderWay {
	/** Resolves when the call is held no more. Undefined: it is not. */
	settled(conversation: string, call: string): Promise<unknown> | undefined
	/** Holds a call that is not held. Returns the fence of the claim. */
	hold(conversation: string, claim: NonNullable<Beginning['claim']>): number
	/** Ends a claim. False: it is another call's by now, or its lease has run out. */
	release(conversation: string, claim: NonNullable<Settlement['claim']>): boolean
}

interface Held {
	readonly call: string
	readonly fence: number
	/** When the lease runs out, as `performance.now`. */
	readonly until: number
	/** What repeated calls wait for. Absent: there are none. */
	settled?: PromiseWithResolvers<void>
}

/** Holds at most so many calls: those beyond are answered all the same, but none waits for them. */
export function createCallsUnderWay(most: number): CallsUnderWay {
	// A key of conversation and call in one would be made anew, and read to its end, each time.
	const calls = new Map<string, Held[]>()
	let count = 0
	let fences = 0

	function find(conversation: string, call: string): Held | undefined {
		return calls.get(conversation)?.find((held) => held.call === call)
	}

	function forget(conversation: string, held: Held): void {
		const all = calls.get(conversation)
		if (!all) return
		all.splice(all.indexOf(held), 1)
		if (all.length === 0) calls.delete(conversation)
		count--
	}

	function forgetExpired(): void {
		for (const [conversation, all] of calls) {
			for (const held of all.slice()) {
				if (isHeld(held)) return
				forget(conversation, held)
			}
		}
	}

	return {
		settled(conversation, call) {
			const held = find(conversation, call)
			if (!held) return undefined
			if (!isHeld(held)) {
				forget(conversation, held)
				return undefined
			}
			held.settled ??= Promise.withResolvers()
			return withTimeout(held.until - performance.now(), held.settled.promise)
		},
		hold(conversation, { call, lease }) {
			const fence = ++fences
			if (count >= most) forgetExpired()
			if (count >= most) return fence
			const held = { call, fence, until: performance.now() + lease }
			const others = calls.get(conversation)
			if (others) others.push(held)
			else calls.set(conversation, [held])
			count++
			return fence
		},
		release(conversation, { call, fence }) {
			const held = find(conversation, call)
			if (held?.fence !== fence) return false
			forget(conversation, held)
			held.settled?.resolve()
			return isHeld(held)
		},
	}
}

function isHeld({ until }: Held): boolean {
	return performance.now() < until
}
