/** A small heap, and twice as many calls as can be answered. */
import { message } from '../calls.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf, watchMemory } from '../health.ts'
import { type Answer, capacity, open } from '../load.ts'
import type { Row } from '../row.ts'

export const heap: Row = {
	id: 'B9',
	fault: 'The heap has 128 MiB, and twice as many calls come as can be answered',
	demand: '10 minutes: 0 exits for want of memory; what is too much is refused with 503 and Retry-After',
	except: 'a minute instead of ten, with bodies of 10 kB',
	async run(trial) {
		const gateway = await startGateway(
			trial,
			{ upstream: { url: 'builtin:demo' }, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] },
			{ node: ['--max-old-space-size=128'] },
		)
		const { url } = gateway
		const call = (n: number) => ({ path: '/own', body: message(`${n} ${'x'.repeat(10_000)}`) })
		const judge = ({ status, headers }: Answer) => {
			if (status === 200 || (status === 503 && headers.has('retry-after'))) return undefined
			return `status ${status}`
		}
		await capacity({ url, seconds: 0.5, call })
		const peak = (await capacity({ url, seconds: 1, call })).rate(200)
		const grown = watchMemory(gateway)
		const load = await open({ url, rate: peak * 2, seconds: trial.at(1, 5, 60), call, judge, connections: 1000 })
		const refused = load.statuses.get(503) ?? 0
		const broken = [...faultsOf(gateway), ...Array.from(load.wrong, ([what, times]) => `${times} × ${what}`)]
		return {
			reached: `${load.sent} calls at ${(peak * 2).toFixed(0)}/s, ${refused} refused, ${load.hung} without an answer; ${grown().toFixed(0)} MB more memory; it runs on`,
			broken,
		}
	},
}
