/** Suggests the name that was probably meant by an unknown one. */

/** Letters added, left out or replaced that still count as a typo. */
const maxEdits = 2

/** The name closest to the one written, in any case; undefined if none is close enough to be a typo. */
export function closestName(written: string, names: readonly string[]): string | undefined {
	let found: string | undefined
	let least = maxEdits + 1
	const lower = written.toLowerCase()
	for (const name of names) {
		const edits = editDistance(lower, name.toLowerCase())
		if (edits < least && edits < Math.min(lower.length, name.length)) [found, least] = [name, edits]
	}
	return found
}

/**
 * The names that may be meant by the one written, in any case: the closest one, or those that begin like it. Empty if
 * nothing is like it.
 */
export function namesLike(written: string, names: readonly string[]): readonly string[] {
	const same = closestName(written, names)
	if (same !== undefined) return [same]
	const lower = written.toLowerCase()
	return lower.length > 2 ? names.filter((name) => name.toLowerCase().startsWith(lower)) : []
}

/**
 * Whether a name has the letters of another, in any order and any case, but for one more or one less. Words of their own,
 * such as `next` beside `text`, differ in a letter that takes the place of another.
 */
export function hasLettersOf(written: string, name: string): boolean {
	const missing = [...name.toLowerCase()]
	let added = 0
	for (const letter of written.toLowerCase()) {
		const found = missing.indexOf(letter)
		if (found === -1) added++
		else missing.splice(found, 1)
	}
	return added + missing.length <= 1
}

/** The Levenshtein distance; more than `maxEdits`, without the exact number, if the lengths alone differ by more. */
function editDistance(one: string, other: string): number {
	if (Math.abs(one.length - other.length) > maxEdits) return maxEdits + 1
	let row = Array.from({ length: other.length + 1 }, (_, j) => j)
	for (let i = 1; i <= one.length; i++) {
		const next = [i]
		for (let j = 1; j <= other.length; j++) {
			const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
			next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
		}
		row = next
	}
	return row[other.length] ?? 0
}
