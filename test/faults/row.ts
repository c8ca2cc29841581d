/** One row of the table of faults: what happens to the gateway, what is demanded of it, and how that is tried. */

/** How long the proof may take: a minute or two in CI, ten minutes by hand, an hour before a release. */
export type Scale = 'short' | 'usual' | 'full'

/** What a row is run with. */
export interface Trial {
	readonly scale: Scale
	/** Whatever is random in the row is made from it; printed, so that a failure can be had again. */
	readonly seed: number
	/** One of three numbers, by the scale. */
	at(short: number, usual: number, full: number): number
	/** Registers what is to be ended when the row has ended, however it does; last first. */
	after(end: () => unknown): void
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
	/** Why the row is proved in part only, or not at all: said in the table. */
	readonly except?: string
	/**
	 * It mostly waits, so that it runs beside the others of its part that do: in the short form, and idle ones in the usual
	 * form, too. `busily`: it would disturb the figures of others there, or have its own disturbed.
	 */
	readonly waits?: 'idly' | 'busily'
	run(trial: Trial): Promise<Outcome>
}
