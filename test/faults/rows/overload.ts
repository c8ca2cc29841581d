/** Three times as many calls as can be answered: of the upstream, and of the gateway's own core. */
import { setTimeout as wait } from 'node:timers/promises'
import { message } from '../calls.ts'
import { says, startEcho } from '../echo.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { type Answer, capacity, type Loaded, open } from '../load.ts'
import type { Outcome, Row, Trial } from '../row.ts'

/** Calls that the upstream takes at once, and milliseconds of each: 400 a second. */
const upstream = { atOnce: 40, each: 100 }
/** Milliseconds after which a platform no longer reads an answer. */
const deadline = 10_000
/** Connections of the callers: fewer than the gateway takes. */
const connections = 1000
/** The load, as a multiple of what can be answered. */
const times = 3

export const overload: Row = {
	id: 'D5',
	fault: 'Three times as many calls come as the upstream takes, and as the gateway’s core can answer',
	demand: 'goodput ≥ 80 % of the peak; the rest refused with 503 and Retry-After within 50 ms; as before ≤ 5 s later',
	async run(trial) {
		const [shed, saturated] = [await moreThanTheUpstreamTakes(trial), await moreThanTheCoreCan(trial)]
		return {
			reached: `the upstream: ${shed.reached}; the core: ${saturated.reached}`,
			broken: [...shed.broken, ...saturated.broken],
			missed: [...(shed.missed ?? []), ...(saturated.missed ?? [])],
		}
	},
}

const call = (n: number) => ({ path: '/own', body: message(`hello ${n}`) })
const routes = [{ name: 'own', path: '/own', platform: 'canonical' }]

/** Calls, some of which are refused because those before them are still with the upstream. */
async function moreThanTheUpstreamTakes(trial: Trial): Promise<Outcome> {
	const echo = await startEcho(trial, async () => {
		await wait(upstream.each)
		return says('Hello')
	})
	const config = { upstream: { url: echo.url, concurrency: upstream.atOnce }, routes }
	const gateway = await startGateway(trial, config)
	const { url } = gateway
	await capacity({ url, seconds: 0.5, call, connections: upstream.atOnce })
	const peak = (await capacity({ url, seconds: 2, call, connections: upstream.atOnce })).rate(200)
	const load = await open({ url, rate: peak * times, seconds: trial.at(2, 5, 60), call, judge, connections })
	const after = await open({ url, rate: peak / 4, seconds: 1, call, judge, connections })
	const [refused, goodput, slowest] = [load.statuses.get(503) ?? 0, load.rate(200) / peak, load.took(0.99, 503)]
	const broken = [...faultsOf(gateway), ...wrongs(load), ...wrongs(after)]
	if (refused === 0) broken.push('nothing was refused')
	if (unanswered(load) > 0) broken.push(`${unanswered(load)} of ${load.sent} calls had no answer`)
	const missed: string[] = []
	if (goodput < 0.8) missed.push(`goodput ${percent(goodput)} of the peak, on cores shared with load and upstream`)
	if (slowest > 50) missed.push(`p99 of a refusal ${slowest.toFixed(0)} ms, on cores shared with load and upstream`)
	const late = after.statuses.get(503) ?? 0
	if (late > 0) missed.push(`${late} of ${after.sent} calls were refused afterwards`)
	return {
		reached: `goodput ${percent(goodput)} of ${peak.toFixed(0)}/s; of ${load.sent} calls ${refused} refused, p99 ${slowest.toFixed(0)} ms, ${unanswered(load)} without an answer; afterwards ${late} of ${after.sent} refused`,
		...{ broken, missed },
	}
}

/** Calls that nothing holds up but the gateway itself. It takes what its connections bring, one at a time each. */
async function moreThanTheCoreCan(trial: Trial): Promise<Outcome> {
	const gateway = await startGateway(trial, { upstream: { url: 'builtin:demo' }, routes })
	const { url } = gateway
	// A process gets faster for some seconds: the best of several, or the peak would be none.
	const tries: number[] = []
	for (let i = 0; i < trial.at(3, 6, 20); i++) tries.push((await capacity({ url, seconds: 0.5, call })).rate(200))
	const peak = Math.max(...tries)
	const before = await open({ url, rate: peak / 4, seconds: 1, call })
	const seconds = trial.at(1, 2, 60)
	const loading = open({ url, rate: peak * times, seconds, call, judge, connections, patience: deadline })
	// Callers of whom none waits behind calls of its own.
	const others = await open({ url, rate: 20, seconds, call, judge, patience: deadline })
	const load = await loading
	const after = await open({ url, rate: peak / 4, seconds: 1, call, judge })

	const broken = [...faultsOf(gateway), ...wrongs(load), ...wrongs(others), ...wrongs(after)]
	for (const [whose, loaded] of Object.entries({ others, 'calls afterwards': after })) {
		const lost = unanswered(loaded)
		if (lost > 0) broken.push(`${lost} of ${loaded.sent} ${whose} had no answer`)
	}
	const goodput = load.rate(200) / peak
	const missed: string[] = []
	if (goodput < 0.8) missed.push(`goodput ${percent(goodput)} of the peak, on cores shared with the load`)
	const [usual, later] = [before.took(0.5, 200), after.took(0.5, 200)]
	if (later > 3 * usual + 10) missed.push(`p50 ${later.toFixed(1)} ms afterwards, ${usual.toFixed(1)} ms before`)
	return {
		reached: `goodput ${percent(goodput)} of ${peak.toFixed(0)}/s on ${connections} connections, where the rest of the load waits for one; others: p99 ${others.took(0.99).toFixed(0)} ms, ${unanswered(others)} of ${others.sent} without an answer; p50 ${usual.toFixed(1)} ms before, ${later.toFixed(1)} ms afterwards`,
		...{ broken, missed },
	}
}

function judge({ status, headers }: Answer): string | undefined {
	if (status === 503 && headers.get('retry-after') === undefined) return '503 without Retry-After'
	return status === 200 || status === 503 ? undefined : `status ${status}`
}

function wrongs({ wrong }: Loaded): string[] {
	return Array.from(wrong, ([what, count]) => `${count} × ${what}`)
}

function unanswered({ failures, hung }: Loaded): number {
	return [...failures.values()].reduce((sum, count) => sum + count, hung)
}

function percent(part: number): string {
	return `${Math.round(part * 100)} %`
}
