/** What the parts of fit share while one value is fitted: what the format carries, and the account of what was done. */
import type { Limit } from '../format/index.ts'
import type { Change, Feature } from '../model/index.ts'
import { escapeText, matches, shortenText } from './strings.ts'
import type { FitContext, Offer } from './types.ts'

export interface Fitting extends FitContext {
	readonly carries: { readonly [F in Feature]?: Limit }
	readonly changes: Change[]
	readonly offers: Offer[]
	/** Labels of choices already used, where all choices of a reply become one set. */
	readonly labels: Labels
}

/** Adds to the account. */
export function note(fitting: Fitting, did: Change['did'], feature: Feature, path: string, detail?: string): void {
	fitting.changes.push({ path, feature, did, ...(detail !== undefined && { detail }) })
}

/** Whether a string is within a limit as it stands. */
export function within(text: string, limit: Limit): boolean {
	if (limit.chars !== undefined && text.length > limit.chars) return false
	if (limit.values && !limit.values.includes(text)) return false
	if (limit.reserved?.includes(text)) return false
	return limit.pattern === undefined || matches(text, limit.pattern)
}

/** A label in normal form: escaped, then cut with an ellipsis. */
export function fitLabel(fitting: Fitting, feature: Feature, text: string, path: string): string {
	const { escape: markup, chars } = fitting.carries[feature] ?? {}
	const escaped = markup === undefined ? text : escapeText(text, markup)
	if (escaped !== text) note(fitting, 'escaped', feature, path)
	if (chars === undefined || escaped.length <= chars) return escaped
	note(fitting, 'shortened', feature, path)
	for (let most = chars; ; most--) {
		// A cut right behind markup takes its joiner away.
		const cut = markup === undefined ? shortenText(escaped, most) : escapeText(shortenText(escaped, most), markup)
		if (cut.length <= chars || most <= 1) return cut
	}
}

/** Labels in use; of each, the last number that was put behind it. */
export type Labels = Map<string, number>

/** The label, or one that no other of the set has: `Yes`, `Yes (2)`. */
export function unique(label: string, taken: Labels, chars = Number.POSITIVE_INFINITY): string {
	if (!taken.has(label)) {
		taken.set(label, 1)
		return label
	}
	for (let n = (taken.get(label) ?? 1) + 1; ; n++) {
		const suffix = ` (${n})`
		const candidate = shortenText(label, Math.max(1, chars - suffix.length)) + suffix
		if (taken.has(candidate)) continue
		taken.set(label, n).set(candidate, 1)
		return candidate
	}
}

/** Said where a format wants words and the author gave none. */
export const noWords = '…'
