/** A thread with a gateway of its own, which takes fuzzed bodies of every platform and tells what came of them. */
import { parentPort, workerData } from 'node:worker_threads'
import { errors } from '../../src/errors.ts'
import type { Sent } from '../runtime/http.ts'
import { type Platform, platforms, routeOf } from './calls.ts'
import { fuzzed } from './fuzz.ts'
import { gatewayInside, type Inside } from './inside.ts'

/** What a thread is told: its seed, and how many bodies of each platform. */
export interface Fuzzing {
	readonly seed: number
	readonly count: number
}

/** What came of them. */
export interface Fuzzed {
	readonly accepted: number
	readonly refused: number
	/** Milliseconds. */
	readonly slowest: number
	/** What should not be, a sentence each. */
	readonly broken: readonly string[]
}

/** Every platform, at a route each. */
export const everyPlatform = {
	upstream: { url: 'builtin:demo' },
	routes: platforms.map((platform) => routeOf(platform)),
}

/** Milliseconds. */
const hang = 1000

async function fuzz(gateway: Inside, platform: Platform, { seed, count }: Fuzzing): Promise<Fuzzed> {
	const broken: string[] = []
	let accepted = 0
	let slowest = 0
	let taken = 0
	for await (const sent of fuzzed(platform, seed, count)) {
		taken++
		const from = performance.now()
		const response = await gateway.take(sent)
		const body = await response.text()
		let ms = performance.now() - from
		// The machine may have been busy: what hangs hangs again.
		if (ms > hang) ms = Math.min(ms, await timed(() => gateway.take(sent)))
		if (ms > hang) broken.push(`hung for ${ms.toFixed(0)} ms: ${shown(sent)}`)
		slowest = Math.max(slowest, ms)
		const fault = faultOf(response.status, body)
		if (fault) broken.push(`${fault}: ${shown(sent)}`)
		if (response.ok) accepted++
		gateway.lines.length = 0
		if (broken.length > 10) break
	}
	return { accepted, refused: taken - accepted, slowest, broken }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
	const from = performance.now()
	await run()
	return performance.now() - from
}

/** What is wrong with an answer; undefined when nothing is. */
export function faultOf(status: number, body: string): string | undefined {
	if (status < 500) return undefined
	const title = titleOf(body)
	if (title === 'internal') return 'a fault of the gateway'
	return title !== undefined && Object.hasOwn(errors, title) ? undefined : `status ${status} without a type`
}

function titleOf(body: string): string | undefined {
	try {
		const { title } = JSON.parse(body)
		return typeof title === 'string' ? title : undefined
	} catch {
		return undefined
	}
}

/** A call as a row tells of it. */
export function shown({ method, path, headers, body }: Sent): string {
	return JSON.stringify([method, path, headers, Buffer.from(body ?? '').toString('latin1')]).slice(0, 600)
}

// Not when the row itself reads this file for what it exports.
if (parentPort) {
	const told: Fuzzing = workerData
	// It ends with the thread.
	const gateway = gatewayInside({ after() {} }, everyPlatform)
	const all: Fuzzed[] = []
	for (const platform of platforms) all.push(await fuzz(gateway, platform, told))
	parentPort.postMessage(all)
}
