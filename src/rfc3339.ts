/** Moments as RFC 3339 writes them. */

/** The texts of some seconds, up to their fraction. */
const seconds: { readonly second: number; readonly text: string }[] = []
/** How many: more than lie between the moments that one turn writes. */
const remembered = 64

/** Milliseconds since 1970 as a moment in UTC: `2026-11-29T02:21:54.007Z`. Throws a RangeError for what is no time. */
export function rfc3339(milliseconds: number): string {
	const second = Math.floor(milliseconds / 1000)
	const place = second % remembered
	let known = seconds[place]
	if (known?.second !== second) {
		// Nearly all of the time that a date takes goes into this part, which stays the same for a second.
		known = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
		seconds[place] = known
	}
	return `${known.text}${String(Math.floor(milliseconds) % 1000).padStart(3, '0')}Z`
}
