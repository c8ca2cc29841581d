/** Calls whose size is their point, and which of them a run tries. */
import type { WireResponse } from '../../../src/format/index.ts'
import { limits } from '../../../src/limits.ts'
import { oneOf } from '../../harness/random.ts'
import type { Trial } from '../row.ts'

/** One call. `prepare` does what is not measured, and returns what is. */
export interface Case {
	readonly what: string
	prepare(): Promise<() => Promise<WireResponse>>
}

/** How large something is. */
export interface Extent {
	/** Its characters, about. */
	readonly size: number
	/** Its elements or values, at most. */
	readonly count: number
}

/** Large things by what is large in them, made when they are needed. */
export type Shapes<T> = { readonly [what: string]: (extent: Extent) => T }

/** Values that a body may have, and more than any body has. */
export const valueCounts = [limits.values.value - 100, Number.POSITIVE_INFINITY]

/** As many elements as people use, as many as a list and a message may have, and many more. */
export const elementCounts = [50, limits.listItems.value, limits.elements.value, 5000, limits.values.value - 1000]

/** Large things in several sizes. */
export interface Sized<T> {
	readonly what: string
	make(size: number): T
}

/** Each of the shapes with each number of elements; in short runs with one of the numbers. */
export function sized<T>({ random, at }: Trial, shapes: Shapes<T>, counts: readonly number[]): Sized<T>[] {
	return Object.entries(shapes).flatMap(([what, make]) =>
		at([oneOf(counts, random)], [...counts], [...counts]).map((count) => ({
			what: `${Number.isFinite(count) ? count : 'all'} × ${what}`,
			make: (size: number) => make({ size: Math.floor(size), count }),
		})),
	)
}

/** Makes something of each of these with what `pick` picks: in short runs of some of them, in full runs several times. */
export function paired<A, B, T>(trial: Trial, these: readonly A[], pick: () => B, make: (a: A, b: B) => T): T[] {
	return Array.from({ length: trial.at(1, 1, 5) }, () => sample(trial, these, 25).map((a) => make(a, pick()))).flat()
}

/** Some of the list, by chance: in short runs few. */
export function sample<T>({ random, at }: Trial, list: readonly T[], few: number): T[] {
	const length = at(few, list.length, list.length)
	return list.length <= length ? [...list] : Array.from({ length }, () => oneOf(list, random))
}
