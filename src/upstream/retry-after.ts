/** Reads the header Retry-After (RFC 9110, section 10.2.3). */
import type { Fields } from '../format/index.ts'

/** Milliseconds: a day. A longer delay is probably a mistake. */
const maxDelay = 24 * 60 * 60 * 1000

/** The delay in milliseconds, at most a day; undefined if the header is absent or invalid. `now`: Unix time in ms. */
export function readRetryAfter(headers: Fields, now: number): number | undefined {
	const value = headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1].trim()
	if (value === undefined) return undefined
	// Date.parse accepts almost anything as a date, so require a weekday first.
	const delay = /^\d+$/.test(value)
		? Number(value) * 1000
		: /^[A-Z][a-z]{2}/.test(value)
			? Date.parse(value) - now
			: Number.NaN
	return Number.isNaN(delay) ? undefined : Math.min(maxDelay, Math.max(0, delay))
}
