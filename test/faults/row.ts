/** One row of the table of faults: the fault, the requirement, and how it is tested. */
import type { Start } from '../harness/gateway.ts'
import type { Scope } from '../harness/scope.ts'
import type { Scripts, Upstream } from '../harness/upstream.ts'

/** How long a run may take: a few minutes in CI, twenty minutes by hand, an hour before a release. */
export type Scale = 'short' | 'normal' | 'full'

/** What a row runs with. */
export interface Trial extends Scope {
	readonly scale: Scale
	/** Seeds all random values of the row. Printed, so that a failure can be repeated. */
	readonly seed: number
	/** A random number from 0 to 1, from the seed. */
	random(): number
	/** A unique word that marks a turn, so that its answer can be recognised. */
	nonce(): string
	/** One of the three, depending on the scale. */
	at<T>(short: T, normal: T, full: T): T
	/** Starts a gateway that is stopped at the end of the row. */
	readonly start: Start
	/** Starts an upstream that is stopped at the end of the row. */
	upstream(scripts?: Scripts, at?: { readonly host: string; readonly port: number }): Promise<Upstream>
}

/** The result of a row. */
export interface Outcome {
	/** The figures for the table, counted or measured in this run. */
	readonly reached: string
	/** Requirements that did not hold, one sentence each: lost, duplicated, wrong, untyped, hung. Empty: the row holds. */
	readonly broken: readonly string[]
	/** Times, rates and amounts of memory that missed their figure, each with its reason. They do not fail the run: machines are noisy. */
	readonly missed?: readonly string[]
	/** The row could not run; `missed` says what was lacking. */
	readonly untried?: true
}

/** A row of the table. */
export interface Row {
	/** A letter and a number; the letter is the part of the table. */
	readonly id: string
	readonly fault: string
	/** The requirement. */
	readonly demand: string
	/** Why the row tests only part of the requirement; shown in the table. */
	readonly except?: string
	/**
	 * The row mostly waits, so it can run concurrently with other such rows: `idly` in short and normal runs, `busily` in
	 * short runs only, because it affects the figures of others or is affected by them.
	 */
	readonly waits?: 'idly' | 'busily'
	run(trial: Trial): Promise<Outcome>
}

/** The sentence, unless the condition holds. */
export function unless(holds: boolean, sentence: string): string[] {
	return holds ? [] : [sentence]
}

/** The sentence with the count, unless the count is 0. */
export function none(count: number, sentence: string): string[] {
	return unless(count === 0, `${count} ${sentence}`)
}

/** The sentence with the figure, if the figure exceeds its limit. */
export function over(figure: number, limit: number, sentence: (figure: string) => string): string[] {
	return unless(figure <= limit, sentence(figure.toFixed(1)))
}

/** The combined outcome of several parts. */
export function together(parts: readonly Outcome[]): Outcome {
	return {
		reached: parts.map(({ reached }) => reached).join('; '),
		broken: parts.flatMap(({ broken }) => broken),
		missed: parts.flatMap(({ missed = [] }) => missed),
	}
}

/** The outcome of a row that cannot run, and why. If CI should provide the tool, the row does not hold. */
export function untried(tool: string, why: string): Outcome {
	const needed = process.env.DRAGOMAN_NEEDS?.split(' ').includes(tool)
	return needed ? { reached: '', broken: [why] } : { reached: 'not tried', broken: [], missed: [why], untried: true }
}
