/** Random values that several laws share, because drawing them takes longer than most laws do. */
import fc from 'fast-check'

/** Values that an arbitrary keeps: as many as laws usually run, and few enough for the memory of a long search. */
const kept = 1000

/**
 * The same values and the same shrinking as without it, but each value is drawn once: laws that run with the same seed run
 * with the same values, which none may modify. Of a property it is the only arbitrary: what is drawn behind a known value
 * would be drawn from the same random numbers.
 */
export function drawnOnce<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
	return new DrawnOnce(arbitrary)
}

class DrawnOnce<T> extends fc.Arbitrary<T> {
	readonly #arbitrary: fc.Arbitrary<T>
	/** By the state of the random generator, which decides what is drawn, and the bias, which does so, too. */
	readonly #drawn = new Map<string, fc.Value<T>>()

	constructor(arbitrary: fc.Arbitrary<T>) {
		super()
		this.#arbitrary = arbitrary
	}

	override generate(random: fc.Random, bias: number | undefined): fc.Value<T> {
		const state = random.getState()
		if (!state) return this.#arbitrary.generate(random, bias)
		const key = `${state} ${bias}`
		const known = this.#drawn.get(key)
		if (known) return known
		const value = this.#arbitrary.generate(random, bias)
		if (this.#drawn.size < kept && !value.hasToBeCloned) this.#drawn.set(key, value)
		return value
	}

	override canShrinkWithoutContext(value: unknown): value is T {
		return this.#arbitrary.canShrinkWithoutContext(value)
	}

	override shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
		return this.#arbitrary.shrink(value, context)
	}
}
