/** Durations of the configuration, such as `30m`, in milliseconds. */

const units: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A duration of the form that its schema allows. */
export function milliseconds(duration: string): number {
	const [, count, unit = ''] = /^(\d+)(\D+)$/.exec(duration) ?? []
	return Number(count) * (units[unit] ?? Number.NaN)
}

/** A duration that may be left out. */
export function durationOf(given: string | undefined, otherwise: number): number {
	return given === undefined ? otherwise : milliseconds(given)
}
