/** Three times as many calls as can be answered: most of what can be answered still is, and it is over when they stop. */
import { message } from '../calls.ts'
import { startGateway } from '../gateway.ts'
import { type Answer, capacity, open } from '../load.ts'
import type { Row } from '../row.ts'

/** Milliseconds after which a platform no longer reads an answer. */
const deadline = 10_000

export const overload: Row = {
	id: 'D5',
	fault: 'Three times as many calls come as can be answered',
	demand: 'goodput ≥ 80 % of the peak; the rest refused with 503 and Retry-After within 50 ms; as before ≤ 5 s later',
	async run(trial) {
		const gateway = await startGateway(trial, {
			upstream: { url: 'builtin:demo' },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		})
		const { url } = gateway
		const call = (n: number) => ({ path: '/own', body: message(`hello ${n}`) })
		const judge = ({ status, headers }: Answer) => {
			if (status === 503 && headers.get('retry-after') === undefined) return '503 without Retry-After'
			return status === 200 || status === 503 ? undefined : `status ${status}`
		}
		const seconds = trial.at(1, 10, 60)
		// A process gets faster for some seconds: the best of several, or the peak would be none.
		const tries: number[] = []
		for (let i = 0; i < trial.at(3, 10, 20); i++) tries.push((await capacity({ url, seconds: 0.5, call })).rate(200))
		const peak = Math.max(...tries)
		const before = await open({ url, rate: peak / 4, seconds: 1, call })
		const load = await open({ url, rate: peak * 3, seconds, call, judge, connections: 1000, patience: deadline })
		const after = await open({ url, rate: peak / 4, seconds: 1, call, judge })

		const broken = [...load.wrong, ...after.wrong].map(([what, times]) => `${times} × ${what}`)
		const unanswered = [...after.failures.values()].reduce((sum, times) => sum + times, after.hung)
		if (unanswered > 0) broken.push(`${unanswered} calls were not answered when it was over`)
		if (gateway.process.exitCode !== null) broken.push('the gateway ended')
		const missed: string[] = []
		const goodput = load.rate(200) / peak
		if (goodput < 0.8) missed.push(`goodput ${percent(goodput)} of the peak; the load has a share of the same cores`)
		const refused = load.statuses.get(503) ?? 0
		const failed = [...load.failures.values()].reduce((sum, times) => sum + times, load.hung)
		if (failed > 0) missed.push(`${failed} of ${load.sent} calls had no answer within ${deadline} ms, nor a refusal`)
		if (load.took(0.99, 503) > 50) missed.push(`p99 of a refusal ${load.took(0.99, 503).toFixed(0)} ms`)
		const [usual, later] = [before.took(0.5, 200), after.took(0.5, 200)]
		if (later > 3 * usual + 10) missed.push(`p50 ${later.toFixed(1)} ms afterwards, ${usual.toFixed(1)} ms before`)
		const reached = `goodput ${percent(goodput)} of a peak of ${peak.toFixed(0)}/s; of ${load.sent} calls ${refused} refused, ${failed} without an answer; p50 ${usual.toFixed(1)} ms before, ${later.toFixed(1)} ms after`
		return { reached, broken, missed }
	},
}

function percent(part: number): string {
	return `${Math.round(part * 100)} %`
}
