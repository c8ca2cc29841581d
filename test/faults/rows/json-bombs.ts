/** Bodies that are small for what they cost: refused at once, or taken for about as much as any body; big ids keep their digits. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { demo } from '../../../src/upstream/index.ts'
import { bombsOf, withId } from '../bombs.ts'
import { gatewayInside, type Inside } from '../inside.ts'
import type { Row } from '../row.ts'

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
	fault: 'JSON that is deep, wide, long, doubled or of numbers that are none',
	demand: `refused ≤ ${limits.refused} ms of a core each; none blocks the loop > ${limits.block} ms; 0 faults; big ids keep every digit`,
	async run(trial) {
		let told = ''
		const config = { upstream: { url: 'builtin:demo' }, routes: [{ name: 'own', path: '/own', platform: 'canonical' }] }
		const gateway = gatewayInside(
			trial,
			config,
			{},
			{
				demo(call) {
					told = call.body
					return demo(call)
				},
			},
		)
		const size = trial.at(60_000, 400_000, 900_000)
		const { plain, bombs } = bombsOf(size)
		const broken: string[] = []
		const costs: Cost[] = []
		await cost(gateway, 'a body to get warm with', plain)
		const usual = await cost(gateway, 'a plain body', plain)
		if (usual.status !== 200) broken.push(`a plain body gets ${usual.status}`)
		for (const [what, bomb] of Object.entries(bombs)) {
			const found = await cost(gateway, what, bomb)
			costs.push(found)
			if (found.title === 'internal') broken.push(`${what}: a fault of the gateway`)
			if (found.ms > hang) broken.push(`${what}: hangs for ${found.ms.toFixed(0)} ms`)
			if (found.ms > most * usual.ms) broken.push(`${what}: ${(found.ms / usual.ms).toFixed(1)} times a plain body`)
		}
		for (const id of ids) {
			told = ''
			await gateway.take({ path: '/own', body: withId(id) })
			if (!told.includes(`"id":"${id}"`)) broken.push(`${id} came as ${/"id":[^,}]*/.exec(told)}`)
		}
		const refused = costs.filter(({ status }) => status >= 400).toSorted((a, b) => b.ms - a.ms)
		const slow = refused.filter(({ ms }) => ms > limits.refused)
		const blocking = costs.filter(({ block }) => block > limits.block).toSorted((a, b) => b.block - a.block)
		const missed = [
			...slow.slice(0, 3).map(({ what, ms }) => `${what}: refused after ${ms.toFixed(0)} ms of a core`),
			...blocking.slice(0, 3).map(({ what, block }) => `${what}: the loop stands still for ${block.toFixed(0)} ms`),
		]
		if (slow.length > 3) missed.push(`${slow.length} of ${refused.length} refusals take more than ${limits.refused} ms`)
		if (blocking.length > 3)
			missed.push(
				`${blocking.length} of ${costs.length} block the loop, as a plain body does for ${usual.block.toFixed(0)} ms`,
			)
		if (refused.length === 0 || refused.length === costs.length) broken.push('all of them went the same way')
		return {
			reached: `${costs.length} bodies of ${size / 1000} kB, ${refused.length} refused, the dearest for ${refused[0]?.ms.toFixed(0)} ms of a core (${refused[0]?.what}); a plain one takes ${usual.ms.toFixed(0)} ms; ${ids.length} ids`,
			...{ broken, missed },
		}
	},
}

/** What a body takes: the best of three tries. */
interface Cost {
	readonly what: string
	readonly status: number
	readonly title: string | undefined
	/** Milliseconds of a core. */
	readonly ms: number
	/** Milliseconds for which the loop stood still at most. */
	readonly block: number
}

async function cost(gateway: Inside, what: string, body: string): Promise<Cost> {
	let best: Cost | undefined
	for (let tries = 0; tries < 3; tries++) {
		const delay = monitorEventLoopDelay({ resolution: 1 })
		delay.enable()
		// A turn of the loop before and after, so that what lies between is seen.
		await turn()
		const from = process.cpuUsage()
		const response = await gateway.take({ path: '/own', body })
		const { title } = JSON.parse((await response.text()) || '{}')
		const { user, system } = process.cpuUsage(from)
		await turn()
		delay.disable()
		const ms = (user + system) / 1000
		const block = Math.min(best?.block ?? Number.POSITIVE_INFINITY, delay.max / 1e6)
		best = { ...{ what, status: response.status, title, block }, ms: Math.min(best?.ms ?? ms, ms) }
		// Twice is enough for what is cheap.
		if (tries > 0 && ms < 20) break
	}
	if (!best) throw new Error('nothing was tried')
	return best
}
