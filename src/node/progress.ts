/** Tells people what takes long. */

/** Milliseconds that nobody minds. */
const unnoticed = 1000

/** Runs the work, and says on standard error what it is if it takes more than a second. */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
	const timer = setTimeout(() => console.error(`${what} …`), unnoticed)
	try {
		return await work
	} finally {
		clearTimeout(timer)
	}
}
