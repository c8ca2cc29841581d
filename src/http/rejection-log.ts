/** Logs calls that were refused before a turn began, at most one line in a while for each reason and route; an observer sees each. */
import type { ErrorCode } from '../errors.ts'
import { shield } from '../observer/index.ts'
import type { Runtime } from '../runtime.ts'

/** Milliseconds after a line in which further refusals of its kind are only counted. */
const quietTime = 10_000

/** Logs the first refusal of a kind at once, and later how many came since. The number of kinds is bounded by that of the routes. */
export function createRejectionLog(runtime: Runtime): (error: ErrorCode, route: string | undefined) => void {
	const { observer } = runtime
	const kinds = new Map<string, { times: number; loggedAt: number }>()
	return (error, route) => {
		if (observer?.refusal) shield(runtime.log)(() => observer.refusal?.({ error, route }))
		const key = `${error} ${route ?? ''}`
		const kind = kinds.get(key) ?? { times: 0, loggedAt: Number.NEGATIVE_INFINITY }
		kinds.set(key, kind)
		kind.times++
		if (runtime.elapsed() - kind.loggedAt < quietTime) return
		runtime.log({ level: 'warn', msg: 'refused', error, route, reason: reasonOf(error, route), times: kind.times })
		kind.times = 0
		kind.loggedAt = runtime.elapsed()
	}
}

/** For the operator only: the caller's answer is the same for a wrong secret and an unknown path. */
function reasonOf(error: ErrorCode, route: string | undefined): string | undefined {
	if (error !== 'not-found') return undefined
	return route === undefined ? 'no route has this path' : 'the secret is missing or wrong'
}
