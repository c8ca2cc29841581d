/** What was acknowledged arrives, however often the process is killed. */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { folder, keyOne } from './parts.ts'
import { configOf, type Running, receiver, send, signingKey, start } from './processes.ts'

const full = Boolean(process.env.FULL)
const [kills, offered, callers, concurrency] = full ? [20, 10_000, 32, 16] : [5, 2000, 32, 16]
const seed = Number(process.env.SEED) || Date.now() % 1_000_000

/** A small generator, so that the moments of the kills can be had again. */
function chances(seed: number): () => number {
	let state = seed
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
		return state / 2 ** 32
	}
}

test(
	`${kills} kills under load lose nothing that was acknowledged`,
	async () => {
		console.log(`SEED=${seed}`)
		const chance = chances(seed)
		const { url, copies, events, order } = await receiver()
		const config = configOf(join(folder(), 'outbox.db'), url, { key: { env: 'ONE' }, concurrency })
		const env = { SIGN: signingKey, ONE: keyOne }
		let running: Running = await start(config, env)
		let up: string | undefined = running.url

		const acknowledged = new Map<string, { conversation: string; number: number }>()
		let next = 0
		let refused = 0
		let killed = 0
		const call = async (caller: number) => {
			while (next < offered || killed < kills) {
				// Slow enough that the kills come while there is load.
				await wait(60 * chance())
				if (up === undefined) continue
				const number = next++
				const [id, conversation] = [`event-${number}`, `caller-${caller}`]
				if ((await send(up, id, conversation, String(number))) === 200) acknowledged.set(id, { conversation, number })
				else refused++
			}
		}
		const load = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
		const killer = (async () => {
			while (killed < kills) {
				await wait(150 + 300 * chance())
				const ended = running.kill('SIGKILL')
				up = undefined
				await ended
				killed++
				running = await start(config, env)
				up = running.url
			}
		})()
		await Promise.all([load, killer])
		await expect
			.poll(() => [...acknowledged.keys()].filter((id) => !events.has(id)).length, { timeout: 30_000, interval: 200 })
			.toBe(0)
		const again = [...copies.values()].filter((bodies) => bodies.length > 1)
		const duplicates = again.reduce((sum, bodies) => sum + bodies.length - 1, 0)
		console.log(
			`${killed} kills: ${next} offered, ${refused} refused, ${acknowledged.size} acknowledged, 0 lost, ${duplicates} duplicates`,
		)
		expect(killed).toBe(kills)
		expect(acknowledged.size).toBeGreaterThan(offered / 2)
		expect(duplicates).toBeLessThanOrEqual(kills * concurrency)
		// A copy is a copy: the same id, the same bytes.
		for (const bodies of again) expect(new Set(bodies).size).toBe(1)
		// A caller waited for each acknowledgement, so its events came in the order of their numbers.
		for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
		expect(await running.kill('SIGTERM')).toBe(0)
	},
	full ? 600_000 : 60_000,
)
