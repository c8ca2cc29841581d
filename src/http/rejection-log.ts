/** Tells the operator of calls that were refused before any turn began, at most once a while for each reason. */
import type { ErrorCode } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/** Milliseconds for which further refusals of one kind are only counted. */
const quiet = 10_000

/** A count of refusals, which logs the first of each kind and then how many came since. Kinds are as many as routes. */
export function createRejectionLog(runtime: Runtime): (error: ErrorCode, route: string | undefined) => void {
	const kinds = new Map<string, { times: number; toldAt: number }>()
	return (error, route) => {
		const key = `${error} ${route ?? ''}`
		const kind = kinds.get(key) ?? { times: 0, toldAt: Number.NEGATIVE_INFINITY }
		kinds.set(key, kind)
		kind.times++
		if (runtime.elapsed() - kind.toldAt < quiet) return
		runtime.log({ level: 'warn', msg: 'refused', error, route, reason: reasonOf(error, route), times: kind.times })
		kind.times = 0
		kind.toldAt = runtime.elapsed()
	}
}

/** The caller is told neither: to a stranger, a wrong secret and an unknown path are one. */
function reasonOf(error: ErrorCode, route: string | undefined): string | undefined {
	if (error !== 'not-found') return undefined
	return route === undefined ? 'no route has this path' : 'the secret is missing or wrong'
}
