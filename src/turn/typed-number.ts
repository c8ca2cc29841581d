/** The number that a user typed to pick one of numbered choices. */

/** UTF-16 units; longer words are no number. */
const maxWords = 32

/** Marks of a number where its choices are numbered: `#3`, `(3)`, `3.`, `3-`, `No. 3`. */
const numbered =
	/^(?:(?:#|n[or]\.|n°)\s*)?(?:[\p{Ps}\p{Pe}\p{Pi}"']\s*)?(\p{Nd}{1,4})\s*[\p{Ps}\p{Pe}\p{Pf}\p{Pd}"'.:,;!。、،؛]*$/iu

// Most words: it takes none of what follows to see that they are no number.
const withoutDigits = /^[\0-\x2f\x3a-\x7f]*$/

/** `3`, `3.`, `(3)`, `#3`, `3-`, `No. 3`, `3️⃣` and the like, in the digits of any script; undefined for other words. */
export function typedNumber(words: string): number | undefined {
	if (words.length > maxWords || withoutDigits.test(words)) return undefined
	const plain = words
		.replaceAll('🔟', '10')
		.replaceAll('№', '#')
		.replaceAll('º', '°')
		// What makes a keycap of a digit, and marks of direction.
		.replace(/\u20e3|\ufe0e|\ufe0f|\p{Cf}/gu, '')
		.normalize('NFKC')
		.trim()
	const digits = numbered.exec(plain)?.[1]
	return digits === undefined ? undefined : Number(Array.from(digits, decimalValue).join(''))
}

const decimal = /^\p{Nd}$/u

/** The value of a decimal digit. Unicode has the ten digits of a script in a row, and some such rows without a gap. */
function decimalValue(digit: string): number {
	const code = digit.codePointAt(0) ?? 0
	let first = code
	while (decimal.test(String.fromCodePoint(first - 1))) first--
	return (code - first) % 10
}
