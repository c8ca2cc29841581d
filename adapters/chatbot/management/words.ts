/** What an error's body says to people. The documents promise JSON with a `status`, and no more. */
import { type Json, readJson } from '../../../src/format/index.ts'

/** Characters of all the words together. */
const maxLength = 300

/** Members that hold words, in the documented answer and in those of other servers on the way. */
const spoken = ['status', 'error', 'message', 'details', 'errors', 'type', 'title']

/** The words in a body, in one line without control characters or any of the secrets. Undefined: there are none. */
export function wordsOf(body: string, secrets: readonly string[]): string | undefined {
	const line = [...new Set(textsIn(body))].join('; ')
	const words = hide(line, secrets)
		.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
		.trim()
		.slice(0, maxLength)
		.toWellFormed()
	return words === '' ? undefined : words
}

/** Characters below which a secret is part of many words, and replacing it would tell more than it hides. */
const shortest = 4

function hide(text: string, secrets: readonly string[]): string {
	const spellings = secrets
		.filter(({ length }) => length >= shortest)
		.flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())])
	return spellings.reduce((rest, spelling) => rest.replaceAll(spelling, '[hidden]'), text)
}

function textsIn(body: string): string[] {
	try {
		return collect(readJson(body), 0)
	} catch {
		// The page of a proxy says nothing to people who read a line.
		return /^\s*</.test(body) ? [] : [body.slice(0, 2 * maxLength)]
	}
}

function collect(value: Json | undefined, depth: number): string[] {
	if (typeof value === 'string') return [value]
	if (typeof value !== 'object' || value === null || depth > 3) return []
	if (isList(value)) return value.slice(0, 10).flatMap((item) => collect(item, depth + 1))
	return spoken.flatMap((name) => (Object.hasOwn(value, name) ? collect(value[name], depth + 1) : []))
}

function isList(value: Json): value is readonly Json[] {
	return Array.isArray(value)
}
