/** Finds the token of a body: first as a stranger may have written it, then as the only one of a JSON object. */

/** Members of that name, at any depth, that a body may have. */
const maxCandidates = 1000

const name = 'token'
const quotedName = `"${name}"`
/** UTF-16 units of the name with each letter escaped. */
const longestSpelling = name.length * '\\u0074'.length

/** A value that can be a token: base64url and dots. Those of the platform have some hundreds of characters. */
const tokenForm = /"([\w.-]{1,8192})"/y

/**
 * Every text that may be the token, wherever it stands in the body; none if there are too many. For bodies of which
 * nothing is known: it does nothing but search, and takes time in proportion to their length.
 */
export function candidateTokens(body: string): readonly string[] {
	const tokens = new Set<string>()
	let members = 0
	for (let at = body.indexOf(quotedName); at !== -1; at = body.indexOf(quotedName, at + 1)) {
		if (++members > maxCandidates) return []
		const colon = skipBlanks(body, at + quotedName.length)
		const token = body[colon] === ':' ? tokenAt(body, colon + 1) : undefined
		if (token !== undefined) tokens.add(token)
	}
	return [...tokens]
}

/**
 * The token of a JSON object: its member `token`. Undefined if it has none, more than one, or one that is spelled with
 * escapes, so that nothing that reads the body can find another. Does not check that it is JSON.
 */
export function findToken(body: string): string | undefined {
	const structure = /["{}[\]]/g
	let token: string | undefined
	let depth = 0
	for (let found = structure.exec(body); found; found = structure.exec(body)) {
		const [mark] = found
		if (mark === '{' || mark === '[') depth++
		else if (mark !== '"') depth--
		else {
			const end = stringEnd(body, found.index)
			structure.lastIndex = end + 1
			const key = depth === 1 ? asName(body, found.index + 1, end) : 'another'
			const colon = key === 'another' ? end : skipBlanks(body, end + 1)
			// Another member, or a text that is no key.
			if (body[colon] !== ':') continue
			if (key === 'escaped' || token !== undefined) return undefined
			token = tokenAt(body, colon + 1)
			if (token === undefined) return undefined
		}
	}
	return token
}

/** The value that begins here or behind blanks, if it can be a token. */
function tokenAt(body: string, at: number): string | undefined {
	tokenForm.lastIndex = skipBlanks(body, at)
	return tokenForm.exec(body)?.[1]
}

/** The first place from `at` on without one of JSON's blanks. Not a regular expression, whose stack grows with them. */
function skipBlanks(body: string, at: number): number {
	let end = at
	while (isBlank(body.charCodeAt(end))) end++
	return end
}

function isBlank(c: number): boolean {
	return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}

/** What the key between these places is: the token's name, that name with escapes, or another one. */
function asName(body: string, start: number, end: number): 'token' | 'escaped' | 'another' {
	const length = end - start
	if (length === name.length) return body.startsWith(name, start) ? 'token' : 'another'
	if (length < name.length || length > longestSpelling) return 'another'
	const first = body[start]
	if (first !== name[0] && first !== '\\') return 'another'
	return unescaped(body.slice(start, end)) === name ? 'escaped' : 'another'
}

function unescaped(key: string): unknown {
	try {
		return JSON.parse(`"${key}"`)
	} catch {
		return undefined
	}
}

/** The place of the quote that ends the string whose first quote is at `start`; the end of the body if there is none. */
function stringEnd(body: string, start: number): number {
	for (let at = body.indexOf('"', start + 1); at !== -1; at = body.indexOf('"', at + 1)) {
		let backslashes = 0
		while (body[at - 1 - backslashes] === '\\') backslashes++
		if (backslashes % 2 === 0) return at
	}
	return body.length
}
