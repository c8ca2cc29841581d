/** Ends of claims that a store could not be told, until it can be told again. */
import { limits } from '../../limits.ts'
import type { ClaimEnd } from './state-store.ts'

/** The end of a claim of a conversation, which is given by its stored name. */
export interface UntoldEnd {
	readonly conversation: string
	readonly claim: ClaimEnd
}

/** Ends that are not told yet. All times are those of `performance.now`. */
export interface UntoldEnds {
	/** The store could not be told. The oldest make way for it. */
	add(end: UntoldEnd, now: number): void
	/** Those to tell now: none for a moment after the last ones, as a store may refuse them again and take the rest. */
	due(now: number): readonly UntoldEnd[]
	/** The store knows it. */
	told(end: UntoldEnd): void
}

/** Milliseconds for which an end is of use: after that, most claims have lapsed. */
const lifetime = 10_000
/** Milliseconds between two tries. */
const pause = 500
/** Ends that are kept at most: those of the calls under way when the store went away, for without it none is claimed. */
const most = 256

/** Nothing is untold yet. */
export function createUntoldEnds(): UntoldEnds {
	const untold = new Map<UntoldEnd, number>()
	let bytes = 0
	let dueAt = 0

	function told(end: UntoldEnd): void {
		if (untold.delete(end)) bytes -= sizeOf(end)
	}

	return {
		told,
		add(end, now) {
			untold.set(end, now)
			bytes += sizeOf(end)
			for (const oldest of untold.keys()) {
				if (untold.size <= most && bytes <= limits.rememberedAnswersBytes.value) break
				told(oldest)
			}
		},
		due(now) {
			if (now < dueAt) return []
			for (const [end, at] of untold) if (now - at > lifetime) told(end)
			if (untold.size > 0) dueAt = now + pause
			return [...untold.keys()]
		},
	}
}

function sizeOf({ claim }: UntoldEnd): number {
	return Buffer.byteLength(claim.answer ?? '')
}
