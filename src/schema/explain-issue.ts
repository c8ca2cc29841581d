/** Describes valibot's issues in terms of the message that was sent, not of the schema. */
import * as v from 'valibot'
import { closestName } from './did-you-mean.ts'
import { namesAt, schemaAt } from './inspect.ts'

type Path = readonly (string | number)[]

/** The path of an issue: keys and indices from the root of the value that was checked. */
export function pathOf(issue: v.BaseIssue<unknown>): (string | number)[] {
	return issue.path?.map(({ key }) => (typeof key === 'number' ? key : String(key))) ?? []
}

/** Whether the issue is a missing value. */
export function isMissing({ kind, received }: v.BaseIssue<unknown>): boolean {
	return kind === 'schema' && received === 'undefined'
}

/** Whether the issue is an unknown key. */
export function isUnknown({ kind, expected }: v.BaseIssue<unknown>): boolean {
	return kind === 'schema' && expected === 'never'
}

/**
 * The paths at which the issue stands: one, and of an unknown key also those of the other unknown keys of its object, of
 * which valibot reports the first only. `schema` and `value` are what was checked, `at` is the issue's own path.
 */
export function pathsOf(schema: v.GenericSchema, value: unknown, issue: v.BaseIssue<unknown>, at: Path): Path[] {
	const object = issue.path?.at(-1)?.input
	if (!isUnknown(issue) || typeof object !== 'object' || object === null || Array.isArray(object)) return [at]
	const parent = at.slice(0, -1)
	const known = new Set([...namesAt(schema, parent, value), String(at.at(-1))])
	return [at, ...Object.keys(object).flatMap((key) => (known.has(key) ? [] : [[...parent, key]]))]
}

/**
 * What was expected, in words that follow "expected" or "must be": `a string`, `at least one character`. Never repeats
 * what was received. `schema` and `value` are what was checked. Undefined if the issue does not say.
 */
export function describeExpected(
	schema: v.GenericSchema,
	value: unknown,
	issue: v.BaseIssue<unknown>,
	path: Path = pathOf(issue),
): string | undefined {
	if (isUnknown(issue)) return describeUnknown(schema, value, path)
	// For a missing member, valibot's issue has the name only; the member's own schema says what it should be.
	if (isMissing(issue) && issue.path?.at(-1)?.origin === 'key') {
		const missing = schemaAt(schema, path, value)
		const [inner] = (missing && v.safeParse(missing, undefined, { abortEarly: true }).issues) ?? []
		return missing && inner && describeExpected(missing, undefined, inner)
	}
	const custom = customExpectation(issue.message)
	if (custom !== undefined) return custom
	const nested = branchIssues(issue)
	if (nested.length === 0) return builtInExpectation(issue)
	const expectations = nested.map((inner) => {
		const name = pathOf(inner).join('.')
		return `${name}: ${describeExpected(schema, value, inner, [...path, ...pathOf(inner)])}`
	})
	return [...new Set(expectations)].join(', or ')
}

function describeUnknown(schema: v.GenericSchema, value: unknown, path: Path): string {
	const meant = closestName(String(path.at(-1)), namesAt(schema, path.slice(0, -1), value))
	return meant === undefined ? 'no such field' : `no such field; did you mean "${meant}"?`
}

/** The issues of the branches of a union that accepted the value's type: they say more precisely what is wrong. */
export function branchIssues(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
	// valibot accepts a list as an object, and then reports its members as missing.
	const accepted = Array.isArray(issue.input) ? 'array' : 'object'
	return issue.issues?.filter(({ path }) => path?.[0].type === accepted) ?? []
}

/** What the schema's own message expects; undefined for a message of valibot, which repeats what was received. */
function customExpectation(message: string): string | undefined {
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

function builtInExpectation({ kind, type, expected, requirement, input }: v.BaseIssue<unknown>): string | undefined {
	if (kind === 'schema') return expected === null || expected === 'unknown' ? undefined : describeTypes(expected)
	const unit = Array.isArray(input) ? 'item' : 'character'
	switch (type) {
		case 'non_empty':
			return `at least one ${unit}`
		case 'min_length':
			return `at least ${requirement} ${unit}s`
		case 'max_length':
			return `at most ${requirement} ${unit}s`
		case 'max_entries':
			return `at most ${requirement} members`
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

/** A type or a union of types in valibot's notation, `(string | number)`, in words. */
function describeTypes(expected: string): string {
	const choices = expected.replace(/^\((.*)\)$/, '$1').split(' | ')
	const words = [...new Set(choices.map((choice) => kinds[choice] ?? choice))]
	const last = words.pop() ?? expected
	return words.length === 0 ? last : `${words.join(', ')} or ${last}`
}
