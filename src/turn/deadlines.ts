/** How long a platform waits, and how much of that the upstream gets. */
import type { Adapter } from '../format/index.ts'

/** Milliseconds a platform is taken to wait when nothing is known. */
export const defaultDeadline = 10_000

/** Milliseconds before the deadline by which the answer has left. */
export const answerMargin = 1000

/** Milliseconds before the answer by which the upstream has answered: for decoding, fitting, encoding. */
export const upstreamMargin = 500

/** Milliseconds that an upstream may be given before a platform with this deadline gets its answer. */
export function longestUpstreamWait({ deadline = defaultDeadline }: Adapter): number {
	return deadline - answerMargin - upstreamMargin
}
