/** Events that nobody waits for are acknowledged from the disk, and soon. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { callOf, platforms, routeOf } from '../calls.ts'
import { startEcho } from '../echo.ts'
import { folder, startGateway } from '../gateway.ts'
import { type Loaded, open } from '../load.ts'
import type { Row } from '../row.ts'

/** Events a second, and milliseconds for 99 of 100 of them. */
const steps = [
	{ rate: 1000, most: 50 },
	{ rate: 2000, most: 100 },
] as const

export const acceptLatency: Row = {
	id: 'D6',
	fault: 'Events that are acknowledged from the disk come at 1,000 and at 2,000 a second',
	demand: 'p99 of the acknowledgement ≤ 50 ms and ≤ 100 ms; every event acknowledged, and delivered',
	async run(trial) {
		const platform = platforms.find(({ oneWay }) => oneWay)
		if (!platform) throw new Error('no platform reads no answer')
		const seconds = trial.at(1, 5, 30)
		const upstream = await startEcho(trial)
		const gateway = await startGateway(
			trial,
			{
				upstream: { url: upstream.url },
				outbox: { file: join(folder(trial), 'outbox.db'), key: { env: 'OUTBOX_KEY' }, concurrency: 64 },
				routes: [routeOf(platform)],
			},
			{ env: { OUTBOX_KEY: randomBytes(32).toString('base64') } },
		)
		const sent = await callOf(platform)
		const call = () => ({ method: 'POST', path: sent.path, headers: (sent.headers ?? []).flat(), body: `${sent.body}` })
		// What a process does first, it does slowly.
		await open({ url: gateway.url, rate: 200, seconds: 0.5, call })

		const broken: string[] = []
		const missed: string[] = []
		const reached: string[] = []
		let acknowledged = 100
		for (const { rate, most } of steps) {
			const load = await open({ url: gateway.url, rate, seconds, call })
			acknowledged += load.statuses.get(200) ?? 0
			const others = load.sent - (load.statuses.get(200) ?? 0)
			if (others > 0) broken.push(`${others} of ${load.sent} events at ${rate}/s: ${otherThan200(load)}`)
			const p99 = load.took(0.99, 200)
			reached.push(`${rate}/s: p99 ${p99.toFixed(1)} ms`)
			if (!(p99 <= most))
				missed.push(`p99 ${p99.toFixed(1)} ms at ${rate}/s, on cores shared with the load and the upstream`)
		}
		const until = performance.now() + 30_000
		while (upstream.heard.length < acknowledged && performance.now() < until) {
			await new Promise((waited) => setTimeout(waited, 50))
		}
		if (upstream.heard.length < acknowledged) broken.push(`${acknowledged - upstream.heard.length} events never came`)
		reached.push(`${acknowledged} acknowledged, ${upstream.heard.length} delivered`)
		return { reached: reached.join('; '), broken, missed }
	},
}

function otherThan200({ statuses, failures, hung }: Loaded): string {
	const others = [...statuses, ...failures]
		.filter(([what]) => what !== 200)
		.map(([what, times]) => `${times} × ${what}`)
	return [...others, ...(hung > 0 ? [`${hung} hung`] : [])].join(', ')
}
