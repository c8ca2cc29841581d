/** How long an upstream asks to be left alone: the header Retry-After, RFC 9110, section 10.2.3. */
import type { Fields } from '../format/index.ts'

/** Milliseconds. Whoever asks for more than a day has mistaken something. */
const longest = 24 * 60 * 60 * 1000

/** Milliseconds, at most a day; undefined when nothing is asked, or nothing that can be understood. `now`: since 1970. */
export function readRetryAfter(headers: Fields, now: number): number | undefined {
	const value = headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1].trim()
	if (value === undefined) return undefined
	// A date has letters; without them Date.parse takes almost anything for one.
	const wait = /^\d+$/.test(value)
		? Number(value) * 1000
		: /^[A-Z][a-z]{2}/.test(value)
			? Date.parse(value) - now
			: Number.NaN
	return Number.isNaN(wait) ? undefined : Math.min(longest, Math.max(0, wait))
}
