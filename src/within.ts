/** A limit of time on what has none of its own. */

/** Stands for what is not there in time. */
export const late: unique symbol = Symbol('late')

/** What the promise becomes, or `late` when it takes more than so many milliseconds. What it becomes later is the caller's. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | typeof late> {
	const { promise: passed, resolve } = Promise.withResolvers<typeof late>()
	const timer = setTimeout(() => resolve(late), milliseconds)
	try {
		return await Promise.race([promise, passed])
	} finally {
		clearTimeout(timer)
	}
}
