/** Events that no client waits for are acknowledged quickly once they are on disk. */

import { open } from '../../harness/load.ts'
import { notifying } from '../../harness/platforms.ts'
import { delivered, startAccepting, startTaking } from '../accepting.ts'
import { none, over, type Row } from '../row.ts'

/** Events a second, and milliseconds for 99 of 100 of them. */
const steps = [
	{ rate: 1000, most: 50 },
	{ rate: 2000, most: 100 },
] as const

export const acceptLatency: Row = {
	id: 'D6',
	fault: '1,000 and 2,000 events per second that are acknowledged once they are on disk',
	demand: 'p99 of the acknowledgement ≤ 50 ms and ≤ 100 ms; every event acknowledged and delivered',
	async run(trial) {
		const seconds = trial.at(1, 5, 30)
		const upstream = await startTaking(trial)
		const gateway = await startAccepting(trial, upstream.url, { outbox: { concurrency: 64 } })
		const sent: string[] = []
		const loadAt = (rate: number, seconds: number) => {
			const first = sent.length
			return open(gateway.url, {
				...{ rate, seconds },
				call(n) {
					sent[first + n] = trial.nonce()
					return notifying.call(notifying.event(`${sent[first + n]}`))
				},
			})
		}
		// What a process does first, it does slowly.
		await loadAt(200, 0.5)
		const broken: string[] = []
		const missed: string[] = []
		const reached: string[] = []
		for (const { rate, most } of steps) {
			const load = await loadAt(rate, seconds)
			const p99 = load.took(0.99, 200)
			reached.push(`${rate}/s: p99 ${p99.toFixed(1)} ms`)
			const others = [...load.statuses, ...load.failures].map(([what, times]) => `${times} × ${what}`)
			broken.push(...none(load.sent - load.count(200), `of ${load.sent} events at ${rate}/s: ${others}`))
			missed.push(
				...over(p99, most, (it) => `p99 ${it} ms at ${rate}/s, on cores shared with the clients and the upstream`),
			)
		}
		const events = await delivered(sent, () => upstream.taken)
		reached.push(`${sent.length} acknowledged, ${upstream.taken.length} delivered`)
		return { reached: reached.join('; '), broken: [...broken, ...events.broken], missed }
	},
}
