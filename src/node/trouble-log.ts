/** Logs that something fails again and again, without a line each time. */
import type { LogLine, Runtime } from '../runtime.ts'

/** Milliseconds after a line in which further failures of its kind are only counted. */
const quietTime = 10_000

/** What the lines say besides what is particular to a failure. */
export interface TroubleLines {
	readonly failing: LogLine
	readonly recovered: LogLine
}

export interface TroubleLog {
	/**
	 * It failed. The first failure of a kind is logged at once, and later ones at most every ten seconds; all are counted.
	 * `kind`: where one kind must not hide another. There must be few, or failures must be rare.
	 */
	failed(fields: { readonly [field: string]: unknown }, kind?: string): void
	/** It works. Logged if the log says that it fails. */
	works(): void
}

/** Nothing has failed yet. `elapsed`: milliseconds, and never jumps. */
export function createTroubleLog(
	{ log, elapsed }: Pick<Runtime, 'log' | 'elapsed'>,
	{ failing, recovered }: TroubleLines,
): TroubleLog {
	let failures = 0
	/** Whether the log says that it fails. */
	let told = false
	/** When each kind was logged, if that was a moment ago. */
	const loggedAt = new Map<string, number>()

	return {
		failed(fields, kind = '') {
			failures++
			const now = elapsed()
			for (const [each, at] of loggedAt) if (now - at >= quietTime) loggedAt.delete(each)
			if (loggedAt.has(kind)) return
			loggedAt.set(kind, now)
			told = true
			log({ ...failing, ...fields, failures })
		},
		// What fails and works in turns, such as a store that is full, has a line of each a while, and not each time.
		works() {
			if (!told) return
			told = false
			log({ ...recovered, failures })
		},
	}
}
