/** Messages that parsers may read differently: rejected, and never more calls than were sent, with or without a proxy in front. */

import { setTimeout as wait } from 'node:timers/promises'
import { ownTo } from '../../harness/platforms.ts'
import { type Exchanged, exchange } from '../../harness/sockets.ts'
import { faultsOf } from '../health.ts'
import { type Row, type Trial, unless } from '../row.ts'
import { countEach, each, nth } from '../turns.ts'
import { markOf, messages, plain } from './messages.ts'
import { type Front, startProxies } from './proxies.ts'

/** Milliseconds for which no call may have come before they are counted. */
const settled = 300

export const malformedHttp: Row = {
	id: 'D7',
	fault: 'HTTP that is malformed or ambiguous; directly, and behind the installed proxies',
	demand:
		'200 messages: never more calls than were sent, 0 crashes, 0 hangs; directly, all ambiguous ones are rejected',
	async run(trial) {
		const upstream = await trial.upstream()
		const gateway = await trial.start(ownTo(upstream.url))
		const { proxies, missing } = await startProxies(trial, new URL(gateway.url).port)
		upstream.calls.length = 0
		const taken: string[] = []
		const broken: string[] = []
		for (const front of [{ name: 'direct', url: gateway.url }, ...proxies]) {
			const direct = front.name === 'direct'
			const found = await tryAll(front, trial)
			await quiet(upstream.calls)
			const heard = countEach(upstream.calls.splice(0).map(({ body }) => markOf(body)))
			taken.push(`${heard.size} ${front.name}`)
			for (const [i, { what, mark, calls, refused }] of messages.entries()) {
				const came = heard.get(mark) ?? 0
				const { statuses, hung } = nth(found, i)
				const wrong = [
					...unless(came <= calls, `${came} calls of ${calls}`),
					...(direct
						? [
								...unless(!hung, 'no answer, and no end'),
								...unless(
									refused ? came === 0 && statuses.every((status) => status >= 400) : came === calls,
									`${came} calls of ${calls} taken, ${statuses}`,
								),
								...unless(!statuses.some((status) => status >= 500 && status !== 501 && status !== 505), `${statuses}`),
							]
						: []),
				]
				broken.push(...wrong.map((how) => `${front.name}, ${what}: ${how}`))
			}
			const { statuses } = await exchange(front.url, plain, { quiet: 20 })
			broken.push(...unless(statuses[0] === 200, `${front.name}: a call after them gets ${statuses}`))
			await quiet(upstream.calls)
			upstream.calls.length = 0
		}
		return {
			reached: `${messages.length} messages; calls were accepted from ${taken.join(', ')}; ${broken.length} not as required`,
			broken: [...broken, ...faultsOf(gateway)],
			missed: missing.map((name) => `not tested behind ${name}, which is not installed`),
		}
	},
}

/** Sends them all, some at a time, each on a connection of its own. */
function tryAll({ name, url }: Front, { scale }: Trial): Promise<Exchanged[]> {
	// A proxy keeps what it got only a part of for a while; and a caller who ends its side is done with.
	const patience = name === 'direct' ? 10_000 : scale === 'short' ? 500 : 1500
	return each(messages.length, 8, (n) => {
		const { bytes, refused } = nth(messages, n)
		return exchange(url, bytes, { quiet: 60, patience, ends: name === 'direct' && refused })
	})
}

/** Waits until nothing more comes. */
async function quiet(heard: readonly unknown[]): Promise<void> {
	for (let before = -1; before !== heard.length; ) {
		before = heard.length
		await wait(settled)
	}
}
