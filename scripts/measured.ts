/** The results of the benchmark, for the pages that are made of them. */
import { readResults } from '../bench/results.ts'

export const results = readResults()

/** An experiment has no result yet. */
class NotMeasured extends Error {}

/** What stands in place of figures that nobody has measured. */
export function notMeasured(id: string): string {
	return `Not measured yet: \`npm run bench -- --only ${id} --write\`.`
}

/** A figure of an experiment. Throws within `orNotMeasured` when there is none. */
export function figure(id: string, name: string): number {
	const value = results[id]?.figures[name]
	if (value === undefined) throw new NotMeasured(notMeasured(id))
	return value
}

/** A text made of figures, or what says how to measure the first that is missing. */
export function orNotMeasured(write: () => string): string {
	try {
		return write()
	} catch (thrown) {
		if (thrown instanceof NotMeasured) return thrown.message
		throw thrown
	}
}

/** The part of a core that a process should use at most when nothing is wrong: the rest is for peaks. */
export const load = 0.5

/** A number with two digits that count. */
export const count = (value: number): string => Number(value.toPrecision(2)).toLocaleString('en')
