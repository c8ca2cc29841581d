/** What the parts of fit share while one value is fitted: what the format carries, and the account of what was done. */
import type { Change, Feature, Limit } from '../features.ts'
import type { FitContext, Offer } from './index.ts'
import { escapeText, matches, shortenText } from './text.ts'

export interface Fitting extends FitContext {
	readonly carries: { readonly [F in Feature]?: Limit }
	readonly changes: Change[]
	readonly offers: Offer[]
	/** Labels of choices already used, where all choices of a reply become one set. */
	readonly labels: Set<string>
}

/** Adds to the account. */
export function note(fitting: Fitting, did: Change['did'], feature: Feature, path: string, detail?: string): void {
	fitting.changes.push({ path, feature, did, ...(detail !== undefined && { detail }) })
}

/** Whether a string is within a limit as it stands. */
export function within(text: string, limit: Limit): boolean {
	if (limit.chars !== undefined && text.length > limit.chars) return false
	if (limit.values && !limit.values.includes(text)) return false
	return limit.pattern === undefined || matches(text, limit.pattern)
}

/** A label in normal form: escaped, then cut with an ellipsis. */
export function fitLabel(fitting: Fitting, feature: Feature, text: string, path: string): string {
	const { escape: markup, chars } = fitting.carries[feature] ?? {}
	const escaped = markup === undefined ? text : escapeText(text, markup)
	if (escaped !== text) note(fitting, 'escaped', feature, path)
	if (chars === undefined || escaped.length <= chars) return escaped
	note(fitting, 'shortened', feature, path)
	return shortenText(escaped, chars)
}

/** The label, or one that no other of the set has: `Yes`, `Yes (2)`. */
export function unique(label: string, taken: Set<string>, chars = Number.POSITIVE_INFINITY): string {
	let candidate = label
	for (let n = 2; taken.has(candidate); n++) {
		const suffix = ` (${n})`
		candidate = shortenText(label, Math.max(1, chars - suffix.length)) + suffix
	}
	taken.add(candidate)
	return candidate
}

/** Said where a format wants words and the author gave none. */
export const noWords = '…'
