/** What the parts of fit share while one value is fitted: what the format carries, and the account of what was done. */
import type { Limit } from '../format/index.ts'
import type { Change, Choice, Feature, Message } from '../model/index.ts'
import type { NameChoice, PlacedChoice } from './choice-names.ts'
import { labelKey } from './label-key.ts'
import { phrases } from './phrases.ts'
import { escapeText, matches, shortenText } from './strings.ts'
import type { FitContext, Offer } from './types.ts'

export interface Fitting extends FitContext {
	readonly carries: { readonly [F in Feature]?: Limit<F> }
	/** An upstream that speaks another platform's format wrote the value. Absent: it did not. */
	readonly isForeign?: boolean | undefined
	readonly changes: Change[]
	readonly offers: Offer[]
	/** Labels of choices already used, where a label or a number is all that comes back. */
	readonly labels: Labels
	/** The name that tells a choice from others of its title. Absent: nothing is said of what choices belong to. */
	readonly nameChoice?: NameChoice | undefined
	/** The same for buttons of texts. */
	readonly nameButton?: NameChoice | undefined
	/** What comes back from presses, other than labels of these. */
	readonly values: () => ReadonlySet<string>
	/** The last number before a choice. */
	readonly numbers: { last: number }
	/** The choices of all messages, where a reply has one set. Absent: it may have several. */
	readonly oneSet?: OneSet | undefined
	/** The path in the value before from which each message came. Absent: nothing asks for it. */
	readonly origins?: Map<Message, string> | undefined
}

/** What is known of the choices that will stand in one set. */
interface OneSet {
	/** Title and deed of each: a second one alike is needless. */
	readonly shown: Set<string>
	/** What each was given as. */
	readonly placed: Map<Choice, PlacedChoice>
}

/** Fit's account of one value of a leg, as it begins. `changes` is what was done to it before. */
export function newFitting(
	leg: Pick<Fitting, 'carries'> & { readonly refine?: unknown },
	{ turnId, receivedAt, remembers, decodedFrom }: FitContext,
	changes: Change[],
	more: Partial<Pick<Fitting, 'nameChoice' | 'nameButton' | 'values' | 'isForeign'>> = {},
): Fitting {
	const { nameChoice, nameButton, values = () => none, isForeign } = more
	// Member by member: copies of objects take a noticeable part of the time of a fit.
	return {
		turnId,
		receivedAt,
		remembers,
		decodedFrom,
		carries: leg.carries,
		isForeign,
		changes,
		offers: [],
		labels: noLabels(true),
		nameChoice,
		nameButton,
		values,
		numbers: { last: 0 },
		oneSet: leg.carries['reply.messages']?.single ? { shown: new Set(), placed: new Map() } : undefined,
		origins: leg.refine ? new Map() : undefined,
	}
}

const none: ReadonlySet<string> = new Set()

/** Adds to the account. */
export function note(
	{ changes }: Pick<Fitting, 'changes'>,
	did: Change['did'],
	feature: Feature,
	path: string,
	detail?: string,
): void {
	changes.push(detail === undefined ? { path, feature, did } : { path, feature, did, detail })
}

/** What a string must satisfy to be carried as it is. */
interface StringLimit {
	readonly chars?: number | undefined
	readonly pattern?: string | undefined
	readonly reserved?: readonly string[] | undefined
}

/** Whether a string is within a limit as it stands. */
export function isWithin(text: string, { chars, pattern, reserved }: StringLimit): boolean {
	if (chars !== undefined && text.length > chars) return false
	if (reserved?.includes(text)) return false
	return pattern === undefined || matches(text, pattern)
}

/** A label in normal form: escaped, then cut with an ellipsis. */
export function fitLabel(fitting: Fitting, feature: Feature, text: string, path: string): string {
	const { escape: markup, chars } = fitting.carries[feature] ?? {}
	const escaped = markup === undefined ? text : escapeText(text, markup)
	const fitted = chars === undefined ? escaped : cutLabel(escaped, chars, markup)
	if (escaped !== text) note(fitting, 'escaped', feature, path)
	if (fitted !== escaped) note(fitting, 'shortened', feature, path)
	return fitted
}

function cutLabel(text: string, chars: number, markup: string | undefined): string {
	if (text.length <= chars) return text
	for (let most = chars; ; most--) {
		// A cut right behind markup takes its joiner away.
		const cut = markup === undefined ? shortenText(text, most) : escapeText(shortenText(text, most), markup)
		if (cut.length <= chars || most <= 1) return cut
	}
}

/**
 * A string where the format has a place for it: escaped and cut, as far as it then still is what the format takes.
 * `supply`: what fit can put where the format requires one and has no default; the first that the format takes.
 */
export function fitString(
	fitting: Fitting,
	feature: Feature,
	text: string | undefined,
	path: string,
	...supply: (string | undefined)[]
): string | undefined {
	const limit = fitting.carries[feature]
	if (text === undefined && !limit?.required && limit?.default === undefined) return undefined
	if (text !== undefined && limit && canHold(limit, text)) return fitLabel(fitting, feature, text, path)
	if (text !== undefined) note(fitting, 'dropped', feature, path)
	if (!limit) return undefined
	const supplied = limit.default ?? (limit.required ? supply.find((each) => each && isWithin(each, limit)) : undefined)
	if (supplied === undefined) return undefined
	if (text === undefined) note(fitting, 'added', feature, path)
	return String(supplied)
}

/** Whether the string is of the format's form, also after it was escaped and cut. */
function canHold({ pattern, reserved, escape: markup, chars }: Limit, text: string): boolean {
	const form = { pattern, reserved }
	if (!isWithin(text, form)) return false
	if (markup === undefined && (chars === undefined || text.length <= chars)) return true
	const escaped = markup === undefined ? text : escapeText(text, markup)
	const fitted = chars === undefined ? escaped : cutLabel(escaped, chars, markup)
	return fitted === text || isWithin(fitted, form)
}

/** The value if the format has it, else the first that it has where it must have one. */
export function fitOneOf<T extends string>(
	fitting: Fitting,
	feature: Feature,
	limit: { readonly values?: readonly [T, ...T[]] | undefined; readonly required?: true | undefined } | undefined,
	value: T | undefined,
	path: string,
): T | undefined {
	const { values, required } = limit ?? {}
	if (value !== undefined && limit && (!values || values.includes(value))) return value
	if (!values || !required) {
		if (value !== undefined) note(fitting, 'dropped', feature, path)
		return undefined
	}
	note(fitting, value === undefined ? 'added' : 'converted', feature, path)
	return values[0]
}

/** Labels in use, each as it stands and with what it does; and of each stem that a number was put behind, the last such number. */
export interface Labels {
	readonly keyOf: (label: string) => string
	/** Absent: there is no label yet. */
	taken: Map<string, { readonly label: string; readonly does: string | undefined }> | undefined
	/** Absent: there is no number yet. */
	lastNumbers: Map<string, number> | undefined
}

/** Labels that must differ as they stand; or as people type them, where they come back. */
export function noLabels(comeBack = false): Labels {
	return { keyOf: comeBack ? typedKey : ownKey, taken: undefined, lastNumbers: undefined }
}

function typedKey(label: string): string {
	return labelKey(label) ?? label
}

function ownKey(label: string): string {
	return label
}

/** What a label must keep to. */
interface LabelRules {
	readonly chars?: number | undefined
	/** What a press does: another that does the same may have exactly the same label. */
	readonly does?: string
	/** Whether the label must not be this, either. */
	readonly isReserved?: (label: string) => boolean
}

/** The label, or one that no other of the set has: `Yes`, `Yes (2)`. */
export function unique(
	label: string,
	labels: Labels,
	{ chars = Number.POSITIVE_INFINITY, does, isReserved }: LabelRules,
): string {
	const { taken, keyOf } = labels
	const isTaken = (candidate: string): boolean => {
		if (isReserved?.(candidate)) return true
		const other = taken?.get(keyOf(candidate))
		return other !== undefined && (does === undefined || other.does !== does || other.label !== candidate)
	}
	const stemBefore = (number: number) => shortenText(label, Math.max(1, chars - phrases.again(number).length))
	let candidate = label
	let number = 1
	while (isTaken(candidate)) {
		labels.lastNumbers ??= new Map()
		const { lastNumbers } = labels
		// Labels that are cut to one stem count on together. If each began at 2, many of them would take quadratic time.
		number = Math.max(number, lastNumbers.get(stemBefore(number + 1)) ?? 1) + 1
		const stem = stemBefore(number)
		lastNumbers.set(stem, Math.max(number, lastNumbers.get(stem) ?? 1))
		candidate = stem + phrases.again(number)
	}
	take(candidate, labels, does)
	return candidate
}

/** Adds a label to those in use, with what it does. */
export function take(label: string, labels: Labels, does?: string): void {
	labels.taken ??= new Map()
	labels.taken.set(labels.keyOf(label), { label, does })
}
