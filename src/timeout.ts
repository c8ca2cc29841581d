/** A time limit for promises that have none of their own. */

/** Stands for what did not come in time. */
export const timedOut: unique symbol = Symbol('timed out')

/** Sets timers. */
export interface Timers {
	/** Runs something after this many milliseconds, unless what it returns is called before. */
	after(milliseconds: number, run: () => void): () => void
}

/** The timers of the runtime. */
export const systemTimers: Timers = {
	after(milliseconds, run) {
		const timer = setTimeout(run, milliseconds)
		return () => clearTimeout(timer)
	},
}

/** What the promise becomes, or `timedOut` after this many milliseconds. A promise that rejects later counts as handled. */
export async function withTimeout<T>(
	milliseconds: number,
	promise: Promise<T>,
	timers: Timers = systemTimers,
): Promise<T | typeof timedOut> {
	const { promise: passed, resolve } = Promise.withResolvers<typeof timedOut>()
	const cancel = timers.after(Math.max(0, milliseconds), () => resolve(timedOut))
	try {
		return await Promise.race([promise, passed])
	} finally {
		cancel()
	}
}
