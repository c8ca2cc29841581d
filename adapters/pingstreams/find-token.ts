/** Finds the token of a body without parsing the body: it may be anyone's, and up to 2 MiB. */

/** UTF-16 units of the longest token that is looked at. Those of the platform have some hundreds. */
const maxLength = 8192

/** What base64url and the dots of a JWT consist of. */
const tokenText = /^[\w.-]+$/

const name = 'token'
/** UTF-16 units of the name with each letter escaped. */
const longestSpelling = name.length * '\\u0074'.length

const code = { quote: 0x22, backslash: 0x5c, openBrace: 0x7b, openBracket: 0x5b, closeBrace: 0x7d, closeBracket: 0x5d }

/**
 * The token of a JSON object: its member `token`. Undefined if it has none, more than one, or one that is spelled with
 * escapes, so that nothing that reads the body can find another. Reads the text once, and does not check that it is JSON.
 */
export function findToken(text: string): string | undefined {
	const start = skipBlanks(text, 0)
	if (text[start] !== '{') return undefined
	let token: string | undefined
	let depth = 1
	let at = start + 1
	while (at < text.length) {
		const c = text.charCodeAt(at)
		if (c !== code.quote) {
			if (c === code.openBrace || c === code.openBracket) depth++
			else if (c === code.closeBrace || c === code.closeBracket) depth--
			at++
			// Long runs only: to begin with the expression takes longer than a few steps.
			if (startsRun(text, at)) at = endOf(others, text, at)
			continue
		}
		const end = skipString(text, at)
		const key = depth === 1 ? asName(text, at + 1, end - 1) : 'another'
		at = end
		if (key === 'another') continue
		const colon = skipBlanks(text, at)
		at = colon
		if (text[colon] !== ':') continue
		if (key === 'escaped' || token !== undefined) return undefined
		at = skipBlanks(text, colon + 1)
		const valueEnd = text.charCodeAt(at) === code.quote ? skipString(text, at) : at
		const isShort = valueEnd - at - 2 <= maxLength
		token = isShort ? text.slice(at + 1, valueEnd - 1) : ''
		if (!tokenText.test(token)) return undefined
		at = valueEnd
	}
	return token
}

/** What the key between these places is: the token's name, that name with escapes, or another one. */
function asName(text: string, start: number, end: number): 'token' | 'escaped' | 'another' {
	const length = end - start
	if (length === name.length) return text.startsWith(name, start) ? 'token' : 'another'
	if (length < name.length || length > longestSpelling) return 'another'
	const first = text[start]
	if (first !== name[0] && first !== '\\') return 'another'
	return unescaped(text.slice(start, end)) === name ? 'escaped' : 'another'
}

function unescaped(key: string): unknown {
	try {
		return JSON.parse(`"${key}"`)
	} catch {
		return undefined
	}
}

/** The place behind the string that begins at `at`; the end of the text if the string has none. */
function skipString(text: string, at: number): number {
	const next = text.indexOf('"', at + 1)
	if (next === -1) return text.length
	if (text.charCodeAt(next - 1) !== code.backslash) return next + 1
	for (let i = at + 1; i < text.length; i++) {
		const c = text.charCodeAt(i)
		if (c === code.backslash) i++
		else if (c === code.quote) return i + 1
	}
	return text.length
}

/** The first place from `at` on without one of JSON's blanks. */
function skipBlanks(text: string, at: number): number {
	return endOf(blanks, text, at)
}

const blanks = /[ \n\r\t]*/y
const others = /[^"{}[\]]*/y

function startsRun(text: string, at: number): boolean {
	return isOther(text.charCodeAt(at)) && isOther(text.charCodeAt(at + 1)) && isOther(text.charCodeAt(at + 32))
}

function isOther(c: number): boolean {
	return (
		c !== code.quote &&
		c !== code.openBrace &&
		c !== code.openBracket &&
		c !== code.closeBrace &&
		c !== code.closeBracket
	)
}

/** The place behind everything from `at` on that the expression, a sticky one, matches. */
function endOf(expression: RegExp, text: string, at: number): number {
	expression.lastIndex = at
	expression.test(text)
	return expression.lastIndex
}
