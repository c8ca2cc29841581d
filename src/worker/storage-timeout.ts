/** A limit of time on what has none of its own. */

/** It took too long. */
export class NoAnswer extends Error {}

/** What the promise becomes; rejects with NoAnswer when it takes more than so many milliseconds. */
export async function withStorageTimeout<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
	const { promise: late, reject } = Promise.withResolvers<never>()
	const timer = setTimeout(() => reject(new NoAnswer(`no answer within ${milliseconds} ms`)), milliseconds)
	try {
		return await Promise.race([promise, late])
	} finally {
		clearTimeout(timer)
	}
}
