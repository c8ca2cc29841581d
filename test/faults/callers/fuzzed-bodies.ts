/** Whatever a body is, it is read or refused: nothing falls over, nothing hangs, and no error is without its type. */

import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { type Gateway, starter } from '../../harness/gateway.ts'
import type { Call } from '../../harness/http.ts'
import { oneEach, type Platform } from '../../harness/platforms.ts'
import { oneOf, randomFrom } from '../../harness/random.ts'
import { mutate, mutations } from '../../mutations.ts'
import { faultsOf } from '../health.ts'
import { type Row, unless } from '../row.ts'
import { codeOf, each } from '../turns.ts'

/** Bodies for each platform. */
const demanded = 100_000
/** Milliseconds after which a call counts as hung. */
const hang = 1000

const everyPlatform = { upstream: { url: 'builtin:demo' }, routes: oneEach.map((platform) => platform.route()) }

export const fuzzedBodies: Row = {
	id: 'D8',
	fault: 'Bodies that are mutated, truncated, garbled or random bytes',
	demand: '100,000 for each platform: 0 crashes, 0 hangs over 1 s, 0 answers with 5xx that are not typed errors',
	async run(trial) {
		const cores = availableParallelism()
		const count = Math.ceil(trial.at(1000, demanded, 2 * demanded) / cores)
		const threads = Array.from({ length: cores }, async (_, core): Promise<Fuzzed> => {
			const fuzzing: Fuzzing = { seed: trial.seed + core * count, count }
			const thread = new Worker(fileURLToPath(import.meta.url), { workerData: fuzzing })
			trial.after(() => thread.terminate())
			const [found] = await once(thread, 'message')
			return found
		})
		const gateway = await trial.start(everyPlatform)
		const found = [
			...(await Promise.all(threads)),
			await fuzz(gateway, { seed: trial.seed + 1, count: trial.at(100, 1000, 10_000) }, 32),
		]
		const sum = (what: 'accepted' | 'refused') => found.reduce((sum, each) => sum + each[what], 0)
		const [accepted, refused, share] = [sum('accepted'), sum('refused'), count * cores]
		const broken = found.flatMap((each) => each.broken)
		return {
			reached: `${accepted + refused} bodies for ${oneEach.length} platforms, some over sockets: ${accepted} accepted, ${refused} rejected, ${broken.length} faults; slowest ${Math.max(...found.map((each) => each.slowest)).toFixed(0)} ms`,
			broken: [
				...broken,
				...faultsOf(gateway),
				...unless(accepted > 0 && refused > 0, 'nothing was tried: all was taken, or all refused'),
			],
			missed: unless(share >= demanded, `${share} per platform in the short run, for lack of time`),
		}
	},
}

/** What a thread is to try. */
interface Fuzzing {
	readonly seed: number
	/** Bodies of each platform. */
	readonly count: number
}

/** What came of it. */
interface Fuzzed {
	readonly accepted: number
	readonly refused: number
	/** Milliseconds. */
	readonly slowest: number
	readonly broken: readonly string[]
}

/** Sends fuzzed bodies of every platform, so many at a time. */
async function fuzz(gateway: Gateway, { seed, count }: Fuzzing, atOnce = 1): Promise<Fuzzed> {
	const found = { accepted: 0, refused: 0, slowest: 0, broken: [] as string[] }
	const timed = async (call: Call) => {
		const from = performance.now()
		const answer = await gateway.send(call)
		return { answer, ms: performance.now() - from }
	}
	for (const platform of oneEach) {
		const calls = fuzzed(platform, seed, count)
		await each(count, atOnce, async () => {
			const { value: call } = calls.next()
			if (!call || found.broken.length > 10) return
			const first = await timed(call)
			// The machine may have been busy: what hangs hangs again.
			const ms = first.ms > hang ? Math.min(first.ms, (await timed(call)).ms) : first.ms
			const { status } = first.answer
			const code = status < 500 ? 'none' : (codeOf(first.answer) ?? `status ${status} without a type`)
			const faults = [
				...unless(ms <= hang, `hung for ${ms.toFixed(0)} ms`),
				...unless(code !== 'internal' && !code.startsWith('status'), code),
			]
			const { method, path, headers, body = '' } = call
			const shown = JSON.stringify([method, path, headers, Buffer.from(body).toString('latin1')]).slice(0, 600)
			found.broken.push(...faults.map((fault) => `${fault}: ${shown}`))
			found.slowest = Math.max(found.slowest, ms)
			if (status < 300) found.accepted++
			else found.refused++
			gateway.lines.length = 0
		})
	}
	return found
}

/** How many values are drawn at once, so that a million need no memory. */
const batch = 1000

/** So many calls at the route of a platform, always the same ones for a seed. */
export function* fuzzed({ name, pinned }: Platform, seed: number, count: number): Generator<Call> {
	const mutated = fc.tuple(fc.constantFrom(...pinned), mutations)
	const random = randomFrom(seed)
	for (let done = 0; done < count; done += batch) {
		const numRuns = Math.min(batch, count - done)
		for (const [wire, changes] of fc.sample(mutated, { seed: seed + done, numRuns })) {
			const call = { ...mutate(wire, changes), path: `/${name}` }
			yield random() < 0.7 ? call : { ...call, body: garbled(call.body, random) }
		}
	}
}

/** Bytes changed, doubled, taken out, put in; and every tenth time nothing of the text is left. */
function garbled(text: string, random: () => number): Buffer {
	const whole = (most: number) => Math.floor(random() * most)
	if (random() < 0.1) return Buffer.from(Array.from({ length: whole(2000) }, () => whole(256)))
	let bytes = Buffer.from(text)
	for (let times = 1 + whole(8); times > 0; times--) {
		const at = whole(bytes.length + 1)
		const until = Math.min(bytes.length, at + whole(16))
		const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)]
		const put = oneOf(
			[part, Buffer.from([whole(256)]), Buffer.from(oneOf(pieces, random)), Buffer.concat([part, part])],
			random,
		)
		bytes = Buffer.concat([before, put, after])
	}
	return bytes
}

// What a parser counts, ends at, or takes for something else.
const pieces = [...'"\\{}[],:\0\n&=%\ufeff', '\\u0000', '\\ud800', '1e999', '-0', '%00']

// As a thread: a gateway of its own.
if (parentPort) {
	const gateway = await starter({ after() {} })(everyPlatform, { as: 'inside' })
	parentPort.postMessage(await fuzz(gateway, workerData))
}

import fc from 'fast-check'
