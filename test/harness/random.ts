/** Chance that can be had again: numbers made from a seed, and from nothing else. */

/** A source of numbers from 0 to 1, always the same ones for a seed (Mulberry32). */
export function randomFrom(seed: number): () => number {
	let state = seed
	return () => {
		state = (state + 0x6d2b79f5) | 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
}

/** One of these, by chance. */
export function oneOf<T>(list: readonly T[], random: () => number): T {
	const one = list[Math.floor(random() * list.length)]
	if (one === undefined) throw new Error('there is nothing to choose from')
	return one
}
