/** A limit of time on what has none of its own. */

/** Stands for what is not there in time. */
export const timedOut: unique symbol = Symbol('timed out')

/** What the promise becomes, or `timedOut` when it takes more than so many milliseconds. What it becomes later is the caller's. */
export async function withTimeout<T>(milliseconds: number, promise: Promise<T>): Promise<T | typeof timedOut> {
	const { promise: passed, resolve } = Promise.withResolvers<typeof timedOut>()
	const timer = setTimeout(() => resolve(timedOut), milliseconds)
	try {
		return await Promise.race([promise, passed])
	} finally {
		clearTimeout(timer)
	}
}
