/** What an experiment is: it measures something, and compares it with its targets. */
import type { Scope } from '../test/harness/scope.ts'
import type { Pace } from './compare.ts'

/** What an experiment is run with. */
export interface Trial extends Scope {
	readonly pace: Pace
	/** Ids of the peers to measure. Absent: all. */
	readonly only?: readonly string[]
}

/** What it found. */
export interface Finding {
	readonly head: readonly string[]
	readonly rows: readonly (readonly string[])[]
	/** Figures that other documents use, by name. */
	readonly figures: { readonly [name: string]: number }
	readonly targets: readonly Target[]
}

/** A figure to reach: at most, or at least, that of `limit`. */
export interface Target {
	readonly what: string
	readonly reached: number
	readonly bound: 'most' | 'least'
	readonly limit: number
	/** Absent: how many times. */
	readonly unit?: string
}

export interface Experiment {
	readonly id: string
	readonly title: string
	run(trial: Trial): Promise<Finding>
}

export function holds({ reached, bound, limit }: Target): boolean {
	return bound === 'most' ? reached <= limit : reached >= limit
}

/** A target as a sentence. */
export function describeTarget(target: Target): string {
	const { what, reached, bound, limit, unit = '×' } = target
	return `${holds(target) ? 'held' : 'MISSED'}: ${what}: ${round(reached)} ${unit} (at ${bound} ${round(limit)} ${unit})`
}

/** A figure with as many digits as it is worth. */
export function round(value: number): string {
	if (!Number.isFinite(value)) return '–'
	const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
	return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}
