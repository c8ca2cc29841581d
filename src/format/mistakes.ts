/** Errors of a message with wrong fields: the first mistake as `field` and `expected`, and all of them as a bounded list. */
import * as v from 'valibot'
import { GatewayError, type Mistake } from '../errors.ts'
import { describeExpected, isMissing, isUnknown, pathOf, pathsOf } from '../schema/index.ts'
import { fieldPath } from './field-path.ts'

/** Mistakes that an error names; the rest is counted. */
const maxNamed = 10

/** Values of a message that is checked to its end for further mistakes. In a larger one only the first is named. */
const maxChecked = 1000

/** The error for a value that does not match its schema. `first` is what a check found that ended at the first mistake. */
export function invalidFields(
	schema: v.GenericSchema,
	value: unknown,
	at: readonly (string | number)[],
	first: v.BaseIssue<unknown>,
): GatewayError {
	const all = hasFewValues(value) ? v.safeParse(schema, value).issues : undefined
	const issues = (all ?? [first]).flatMap((issue) =>
		pathsOf(schema, value, issue, pathOf(issue)).map((path) => ({ issue, path })),
	)
	// A mistake may be found as several issues.
	const described = issues.slice(0, 2 * maxNamed).map(({ issue, path }) => mistakeOf(schema, value, at, issue, path))
	return errorOf(described, issues.length - described.length)
}

/** One error for several, with each mistake once. */
export function joinMistakes(errors: readonly GatewayError[]): GatewayError {
	const mistakes = errors.flatMap(({ code, context: { field = '', expected, mistakes } }) => {
		return mistakes ?? [newMistake(field, code === 'field-missing', expected)]
	})
	const more = errors.reduce((sum, { context }) => sum + (context.moreMistakes ?? 0), 0)
	return errorOf(mistakes, more)
}

function errorOf(mistakes: readonly Mistake[], more: number): GatewayError {
	const all = [...new Map(mistakes.map((mistake) => [JSON.stringify(mistake), mistake])).values()]
	const { field = '', missing, expected } = all[0] ?? {}
	const code = missing ? 'field-missing' : 'field-invalid'
	const context = { field, ...(expected !== undefined && { expected }) }
	if (all.length === 1) return new GatewayError(code, context)
	const named = all.slice(0, maxNamed)
	const moreMistakes = more + all.length - named.length
	return new GatewayError(code, { ...context, mistakes: named, ...(moreMistakes > 0 && { moreMistakes }) })
}

function newMistake(field: string, missing: boolean, expected: string | undefined): Mistake {
	return { field, ...(missing && { missing }), ...(expected !== undefined && { expected }) }
}

function mistakeOf(
	schema: v.GenericSchema,
	value: unknown,
	at: readonly (string | number)[],
	issue: v.BaseIssue<unknown>,
	path: readonly (string | number)[],
): Mistake {
	// valibot accepts a list as an object, and then reports its indices as members.
	const last = issue.path?.at(-1)
	if (isUnknown(issue) && Array.isArray(last?.input)) {
		return newMistake(fieldPath([...at, ...path.slice(0, -1)]), false, 'an object')
	}
	const field = fieldPath([...at, ...path])
	const expected = describeExpected(schema, value, issue, path)
	const isJsonText = field === '' && typeof value === 'string' && /^\s*[[{]/.test(value)
	return newMistake(field, isMissing(issue), isJsonText ? `${expected}, encoded as JSON only once` : expected)
}

function hasFewValues(value: unknown): boolean {
	const open: unknown[] = [value]
	for (let count = 1; open.length > 0; ) {
		const next = open.pop()
		if (typeof next !== 'object' || next === null) continue
		const members = Object.values(next)
		count += members.length
		if (count > maxChecked) return false
		open.push(...members)
	}
	return true
}
