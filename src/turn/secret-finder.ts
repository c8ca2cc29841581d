/** Finds secrets in text, in the spellings that URLs, forms, JSON and base64 have for them. */

/** Whether a text contains a secret. Takes time that grows with the length of the text. */
export type SecretFinder = (text: string) => boolean

/** At most so many characters of a secret are looked for, those at its end: the beginnings of tokens are often alike. */
const longest = 64

/** A secret of fewer characters may be part of any word, and so counts only where it is a word of its own. */
const shortest = 8

/** A finder of these secrets. */
export function createSecretFinder(secrets: readonly string[]): SecretFinder {
	const ends = [...new Set(secrets.map(endOf))].filter((end) => end !== '')
	if (ends.length === 0) return () => false
	const plain = anyOf(ends, (char) => [codePoint(char)])
	const rareParts = ends.map(fromRare)
	const isPlain = (text: string): boolean => rareParts.some((rare) => text.includes(rare)) && plain.test(text)
	const spelled = anyOf(ends.map(collapse), spellingsOf)
	const encoded = ends
		.filter((end) => end.length >= shortest)
		.flatMap(base64Of)
		.flatMap(inBothAlphabets)
		.map((whole) => ({ whole, rare: fromRare(whole) }))
	const least = Math.min(...ends.map(({ length }) => length))
	return (text) => {
		if (text.length < least) return false
		// Most texts have none of these.
		const isSpelled = text.includes('%') || text.includes('\\')
		if (isSpelled ? spelled.test(collapse(text)) : isPlain(text)) return true
		for (const { whole, rare } of encoded) if (text.includes(rare) && text.includes(whole)) return true
		return false
	}
}

// Padding may be left out.
function endOf(secret: string): string {
	const chars = [...secret].slice(-longest)
	while (chars.at(-1) === '=') chars.pop()
	return chars.join('')
}

// Each further encoding puts 25 behind a percent sign; JSON within JSON doubles backslashes.
function collapse(text: string): string {
	const percent = text.includes('%25') ? text.replace(/%(?:25)+/g, '%') : text
	return percent.includes('\\\\') ? percent.replace(/\\{2,}/g, '\\') : percent
}

/** Matches each of these secrets, with each character in any of its spellings. */
function anyOf(secrets: readonly string[], spellings: typeof spellingsOf): RegExp {
	const patterns = secrets.map((secret) => {
		const chars = Array.from(secret, (char, i) => {
			const spelled = [...(alike[char] ?? char)].flatMap((each) => spellings(each, i === 0))
			return `(?:${spelled.join('|')})`
		})
		if (secret.length >= shortest) return chars.join('')
		const start = secret.startsWith('\\') ? `(?:(?<=${backslash})|(?<![A-Za-z\\d]))` : '(?<![A-Za-z\\d])'
		return `${start}${chars.join('')}(?![A-Za-z\\d])`
	})
	return new RegExp(patterns.join('|'), 'u')
}

/** Characters that stand for each other: in forms, and in the two alphabets of base64. */
const alike: { readonly [char: string]: string } = { ' ': ' +', '+': '+ -', '-': '-+', '/': '/_', _: '_/' }

/** One backslash, as a regular expression. JSON within JSON has many for one. */
const backslash = String.raw`(?:\\|%5[cC]|\\u005[cC])`

function spellingsOf(char: string, isFirst: boolean): readonly string[] {
	// The last backslash of a run is enough to begin with. From each of them to the end of the run would take quadratic time.
	if (char === '\\') return [isFirst ? backslash : `${backslash}+`]
	const bytes = Array.from(new TextEncoder().encode(char), (byte) => byte.toString(16).padStart(2, '0'))
	const units = Array.from({ length: char.length }, (_, i) => char.charCodeAt(i).toString(16).padStart(4, '0'))
	const escaped = char === '/' ? char : /^\\(.)$/.exec(JSON.stringify(char).slice(1, -1))?.[1]
	return [
		codePoint(char),
		bytes.map((byte) => `%${anyCase(byte)}`).join(''),
		units.map((unit) => `\\\\u${anyCase(unit)}`).join(''),
		...(escaped === undefined ? [] : [`\\\\${codePoint(escaped)}`]),
	]
}

function codePoint(char: string): string {
	return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
}

function anyCase(hex: string): string {
	return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}

/** The secret in base64 as part of a longer text: one spelling for each place in a group of three bytes. */
function base64Of(secret: string): string[] {
	const bytes = new TextEncoder().encode(secret)
	return [0, 1, 2].map((before) => {
		const text = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes))
		// Characters that also hold bits of the neighbours are left out.
		return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
	})
}

/** A text in base64 as it is in the usual alphabet, and in that for URLs. */
function inBothAlphabets(text: string): string[] {
	const forUrls = text.replaceAll('+', '-').replaceAll('/', '_')
	return forUrls === text ? [text] : [text, forUrls]
}

/**
 * A secret from its first rare letter on, up to a character that others may stand for: a search for that passes over most
 * text at once. Empty, which is found anywhere, if there is no such part.
 */
function fromRare(secret: string): string {
	return /[A-Zjkqvxz][^ +/_-]{2,}/.exec(secret)?.[0] ?? ''
}
