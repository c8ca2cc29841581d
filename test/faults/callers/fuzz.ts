/** Calls that no platform makes: fixtures with parts deleted, replaced, wrapped or truncated, and random bytes. */

import fc from 'fast-check'
import type { Call } from '../../harness/http.ts'
import type { Platform } from '../../harness/platforms.ts'
import { oneOf, randomFrom } from '../../harness/random.ts'
import { mutate, mutations } from '../../mutations.ts'

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
