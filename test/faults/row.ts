/** One row of the table of faults: what happens to the gateway, what is demanded of it, and how that is tried. */
import type { Start } from '../harness/gateway.ts'
import type { Scope } from '../harness/scope.ts'
import type { Scripts, Upstream } from '../harness/upstream.ts'

/** How long the proof may take: a minute or two in CI, ten minutes by hand, an hour before a release. */
export type Scale = 'short' | 'normal' | 'full'

/** What a row is run with. */
export interface Trial extends Scope {
	readonly scale: Scale
	/** Makes whatever is random in the row; printed, so that a failure can be repeated. */
	readonly seed: number
	/** A number from 0 to 1, by the seed. */
	random(): number
	/** A word that marks a turn, so that its answer can be told from every other one. */
	nonce(): string
	/** One of three numbers, by the scale. */
	at(short: number, normal: number, full: number): number
	/** Starts a gateway, which ends with the row. */
	readonly start: Start
	/** Starts an upstream, which ends with the row. */
	upstream(scripts?: Scripts): Promise<Upstream>
}

/** What was reached. */
export interface Outcome {
	/** The figures, as they stand in the table: counted or measured in this run, never typed. */
	readonly reached: string
	/** Promises that did not hold, one sentence each: lost, doubled, wrong, untyped, hung. None: the row holds. */
	readonly broken: readonly string[]
	/** Figures of time, rate or memory that were missed, each with its reason; they fail nothing, for machines are noisy. */
	readonly missed?: readonly string[]
	/** Nothing was tried, for want of something that `missed` names. */
	readonly untried?: true
}

/** A row of the table. */
export interface Row {
	/** A letter and a number; the letter is the part of the table. */
	readonly id: string
	readonly fault: string
	/** The figure to reach. */
	readonly demand: string
	/** Why the row is proved in part only: said in the table. */
	readonly except?: string
	/**
	 * It mostly waits, so that it runs beside the others that do: in the short form, and idle ones in the normal form, too.
	 * `busily`: it would disturb the figures of others there, or have its own disturbed.
	 */
	readonly waits?: 'idly' | 'busily'
	run(trial: Trial): Promise<Outcome>
}

/** A sentence about what does not hold; nothing when it does. */
export function unless(holds: boolean, sentence: string): string[] {
	return holds ? [] : [sentence]
}

/** A sentence about so many things that should not be; nothing when there are none. */
export function none(count: number, sentence: string): string[] {
	return unless(count === 0, `${count} ${sentence}`)
}

/** A sentence about a figure over its limit; nothing when it is within. */
export function over(figure: number, limit: number, sentence: (figure: string) => string): string[] {
	return unless(figure <= limit, sentence(figure.toFixed(1)))
}

/** The outcome of several parts. */
export function together(parts: readonly Outcome[]): Outcome {
	return {
		reached: parts.map(({ reached }) => reached).join('; '),
		broken: parts.flatMap(({ broken }) => broken),
		missed: parts.flatMap(({ missed = [] }) => missed),
	}
}

/** The outcome of a row that cannot be tried, and why. Where CI was to bring the tool, it does not hold. */
export function untried(tool: string, why: string): Outcome {
	const needed = process.env.DRAGOMAN_NEEDS?.split(' ').includes(tool)
	return needed ? { reached: '', broken: [why] } : { reached: 'not tried', broken: [], missed: [why], untried: true }
}
