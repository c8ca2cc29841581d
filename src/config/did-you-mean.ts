/** Finds the name that was meant by one that does not exist. */

/** Letters that are added, left out or replaced in a slip of the pen. */
const mostEdits = 2

/** The name nearest to the one written, when it is so near that it was probably meant. */
export function closestName(written: string, names: readonly string[]): string | undefined {
	let found: string | undefined
	let least = mostEdits + 1
	for (const name of names) {
		const edits = editDistance(written, name)
		if (edits < least && edits < Math.min(written.length, name.length)) [found, least] = [name, edits]
	}
	return found
}

/** The edit distance of Levenshtein, or more than a slip when the lengths alone say so. */
function editDistance(one: string, other: string): number {
	if (Math.abs(one.length - other.length) > mostEdits) return mostEdits + 1
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
