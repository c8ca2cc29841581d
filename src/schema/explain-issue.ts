/** What a schema wants, in the words of those who write the message: made from valibot's issues, which speak of schemas. */
import * as v from 'valibot'
import { schemaAt } from './inspect.ts'

/** Where the issue is, as keys and indices from the top of what was checked. */
export function pathOf(issue: v.BaseIssue<unknown>): (string | number)[] {
	return issue.path?.map(({ key }) => (typeof key === 'number' ? key : String(key))) ?? []
}

/** Whether the issue is of something that should be there and is not. */
export function isMissing({ kind, received }: v.BaseIssue<unknown>): boolean {
	return kind === 'schema' && received === 'undefined'
}

/** Whether the issue is of something that should not be there. */
export function isUnknown({ kind, expected }: v.BaseIssue<unknown>): boolean {
	return kind === 'schema' && expected === 'never'
}

/**
 * What was expected, to be read after "expected" or "must be": `a string`, `at least one character`. It never repeats
 * what was received. `schema` and `value` are what was checked. Undefined when the issue does not tell.
 */
export function describeExpected(
	schema: v.GenericSchema,
	value: unknown,
	issue: v.BaseIssue<unknown>,
	path: readonly (string | number)[] = pathOf(issue),
): string | undefined {
	if (isUnknown(issue)) return 'no such field'
	// Of a missing member valibot tells the name, and nothing of what it should be.
	if (isMissing(issue) && issue.path?.at(-1)?.origin === 'key') {
		const missing = schemaAt(schema, path, value)
		const [within] = (missing && v.safeParse(missing, undefined, { abortEarly: true }).issues) ?? []
		return missing && within && describeExpected(missing, undefined, within)
	}
	const own = wordsOfMessage(issue.message)
	if (own !== undefined) return own
	const inside = issuesInside(issue)
	if (inside.length === 0) return wordsOf(issue)
	const wanted = inside.map((each) => {
		const name = pathOf(each).join('.')
		return `${name}: ${describeExpected(schema, value, each, [...path, ...pathOf(each)])}`
	})
	return [...new Set(wanted)].join(', or ')
}

/** The issues of those branches of a union that got further than its door: they know better what is wrong. */
export function issuesInside(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
	// valibot takes a list for an object, and then misses its members.
	const door = Array.isArray(issue.input) ? 'array' : 'object'
	return issue.issues?.filter(({ path }) => path?.[0].type === door) ?? []
}

/** The message of the schema's author as words; undefined when it is valibot's own, which repeats what was received. */
function wordsOfMessage(message: string): string | undefined {
	return message.startsWith('Invalid ') ? undefined : message.replace(/^must (?:be|have) /, '')
}

const kinds: { readonly [expected: string]: string } = {
	string: 'a string',
	number: 'a number',
	boolean: 'true or false',
	Object: 'an object',
	Array: 'a list',
}

const validations: { readonly [type: string]: string } = {
	integer: 'a whole number',
	finite: 'a finite number',
	iso_timestamp: 'a time such as 2025-01-31T12:00:00Z',
	url: 'a URL',
	not_value: 'another value',
	not_values: 'another value',
}

function wordsOf({ kind, type, expected, requirement, input }: v.BaseIssue<unknown>): string | undefined {
	if (kind === 'schema') return expected === null || expected === 'unknown' ? undefined : listOf(expected)
	const unit = Array.isArray(input) ? 'item' : 'character'
	switch (type) {
		case 'non_empty':
			return `at least one ${unit}`
		case 'min_length':
			return `at least ${requirement} ${unit}s`
		case 'max_length':
			return `at most ${requirement} ${unit}s`
		case 'length':
			return `${requirement} ${unit}s`
		case 'min_value':
			return `at least ${requirement}`
		case 'max_value':
			return `at most ${requirement}`
		case 'regex':
			return `a string that matches ${requirement}`
		default:
			return validations[type]
	}
}

function listOf(expected: string): string {
	const choices = expected.replace(/^\((.*)\)$/, '$1').split(' | ')
	const words = [...new Set(choices.map((each) => kinds[each] ?? each))]
	const last = words.pop() ?? expected
	return words.length === 0 ? last : `${words.join(', ')} or ${last}`
}
