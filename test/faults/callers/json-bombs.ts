/** Bodies that are small for what they cost: rejected quickly, or processed at about the cost of any body; large ids keep their digits. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { demo } from '../../../src/upstream/index.ts'
import type { Gateway } from '../../harness/gateway.ts'
import { ownTo } from '../../harness/platforms.ts'
import { type Row, unless } from '../row.ts'
import { codeOf } from '../turns.ts'
import { bombsOf, withId } from './bombs.ts'

/** Times that a bomb may cost what a plain body of its size costs. */
const most = 8
/** Milliseconds of a core for a body that is refused, and in one go for any. */
const limits = { refused: 10, block: 50 }
/** Milliseconds of a core. */
const hang = 1000

/** Numbers that no double holds, as they stand in the body. */
const ids = [
	...['12345678901234567890', '9007199254740993', '1e999', '123456789012345678901234567890'],
	...['-0.1000000000000000055511151231257827', '1e-400', '-9223372036854775809', '0.30000000000000000001'],
]

export const jsonBombs: Row = {
	id: 'D10',
	fault: 'JSON that is deep, wide or long, or has repeated keys or invalid numbers',
	demand: `refused ≤ ${limits.refused} ms of CPU time each; none blocks the event loop for > ${limits.block} ms; 0 faults; big ids keep every digit`,
	async run(trial) {
		let told = ''
		const gateway = await trial.start(ownTo('builtin:demo'), {
			as: 'inside',
			demo(call) {
				told = call.body
				return demo(call)
			},
		})
		const size = trial.at(60_000, 400_000, 900_000)
		const { plain, bombs } = bombsOf(size)
		await cost(gateway, 'a body to get warm with', plain)
		const usual = await cost(gateway, 'a plain body', plain)
		const costs: Cost[] = []
		for (const [what, bomb] of Object.entries(bombs)) costs.push(await cost(gateway, what, bomb))
		const broken = costs.flatMap(({ what, code, ms }) => [
			...unless(code !== 'internal', `${what}: a fault of the gateway`),
			...unless(ms <= hang, `${what}: hangs for ${ms.toFixed(0)} ms`),
			...unless(ms <= most * usual.ms, `${what}: ${(ms / usual.ms).toFixed(1)} times a plain body`),
		])
		for (const id of ids) {
			told = ''
			await gateway.send({ path: '/own', body: withId(id) })
			broken.push(...unless(told.includes(`"id":"${id}"`), `${id} came as ${/"id":[^,}]*/.exec(told)}`))
		}
		const refused = costs.filter(({ status }) => status >= 400).toSorted((a, b) => b.ms - a.ms)
		const slow = refused.filter(({ ms }) => ms > limits.refused)
		const blocking = costs.filter(({ block }) => block > limits.block).toSorted((a, b) => b.block - a.block)
		return {
			reached: `${costs.length} bodies of ${size / 1000} kB, ${refused.length} rejected, the most expensive after ${refused[0]?.ms.toFixed(0)} ms of CPU time (${refused[0]?.what}); a plain one takes ${usual.ms.toFixed(0)} ms; ${ids.length} ids`,
			broken: [
				...broken,
				...unless(usual.status === 200, `a plain body gets ${usual.status}`),
				...unless(refused.length > 0 && refused.length < costs.length, 'all of them went the same way'),
			],
			missed: [
				...slow.slice(0, 3).map(({ what, ms }) => `${what}: rejected after ${ms.toFixed(0)} ms of CPU time`),
				...blocking.slice(0, 3).map(({ what, block }) => `${what}: blocks the event loop for ${block.toFixed(0)} ms`),
				...unless(slow.length <= 3, `${slow.length} of ${refused.length} take more than ${limits.refused} ms`),
				...unless(
					blocking.length <= 3,
					`${blocking.length} of ${costs.length} block the loop, as a plain body does for ${usual.block.toFixed(0)} ms`,
				),
			],
		}
	},
}

/** What a body takes: the best of three tries. */
interface Cost {
	readonly what: string
	readonly status: number
	readonly code: string | undefined
	/** Milliseconds of a core. */
	readonly ms: number
	/** Milliseconds for which the loop stood still at most. */
	readonly block: number
}

async function cost(gateway: Gateway, what: string, body: string): Promise<Cost> {
	let [least, block] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
	for (let tries = 1; ; tries++) {
		const delay = monitorEventLoopDelay({ resolution: 1 })
		delay.enable()
		// A turn of the loop before and after, so that what lies between is seen.
		await turn()
		const from = process.cpuUsage()
		const answer = await gateway.send({ path: '/own', body })
		const { user, system } = process.cpuUsage(from)
		await turn()
		delay.disable()
		const ms = (user + system) / 1000
		least = Math.min(least, ms)
		block = Math.min(block, delay.max / 1e6)
		// Twice is enough for what is cheap.
		if (tries === 3 || (tries > 1 && ms < 20))
			return { what, status: answer.status, code: codeOf(answer), ms: least, block }
	}
}
