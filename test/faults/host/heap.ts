/** A small heap, and twice as many calls as can be answered. */

import { message } from '../../harness/http.ts'
import { capacity, open, wrongs } from '../../harness/load.ts'
import { ownTo } from '../../harness/platforms.ts'
import { answeredOrRefused, faultsOf, watchMemory } from '../health.ts'
import type { Row } from '../row.ts'
export const heap: Row = {
	id: 'B9',
	fault: 'A heap of 128 MiB and twice as many calls as can be answered',
	demand: '10 minutes: 0 exits for lack of memory; excess calls are rejected with 503 and Retry-After',
	except: 'a minute instead of ten, with bodies of 10 kB',
	async run(trial) {
		const gateway = await trial.start(ownTo('builtin:demo'), { node: ['--max-old-space-size=128'] })
		const call = (n: number) => ({ path: '/own', body: message(`${n} ${'x'.repeat(10_000)}`) })
		await capacity(gateway.url, { seconds: 0.5, call })
		const peak = (await capacity(gateway.url, { seconds: 1, call })).rate(200)
		const grown = watchMemory(gateway)
		const load = await open(gateway.url, {
			...{ rate: peak * 2, seconds: trial.at(1, 5, 60), call, connections: 1000 },
			judge: answeredOrRefused,
		})
		return {
			reached: `${load.sent} calls at ${(peak * 2).toFixed(0)}/s, ${load.count(503)} rejected, ${load.unanswered()} without an answer; ${grown().toFixed(0)} MB more memory; still running`,
			broken: [...faultsOf(gateway), ...wrongs(load)],
		}
	},
}
