/** Checks a value against a lax wire schema, and lists the paths that the schema does not know. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { branchesOf, describeExpected, isMissing, pathOf, type SchemaNode } from '../schema/index.ts'
import { fieldPath, join } from './field-path.ts'

/**
 * A value checked by a lax wire schema, and the paths of all that the schema does not list. `at` is where the value
 * stands in its message. Throws `field-missing` or `field-invalid`, naming the first field at fault.
 */
export function validate<S extends v.GenericSchema>(
	schema: S,
	value: unknown,
	at: readonly (string | number)[] = [],
): { wire: v.InferOutput<S>; unread: string[] } {
	const result = v.safeParse(schema, value, { abortEarly: true })
	if (!result.success) {
		const issue = result.issues[0]
		const expected = describeExpected(schema, value, issue)
		throw new GatewayError(isMissing(issue) ? 'field-missing' : 'field-invalid', {
			field: fieldPath([...at, ...pathOf(issue)]),
			...(expected === undefined ? {} : { expected }),
		})
	}
	const unread: string[] = []
	collectUnread(schema, value, fieldPath(at), unread)
	return { wire: result.output, unread }
}

function collectUnread(schema: v.GenericSchema, value: unknown, path: string, unread: string[]): void {
	if (typeof value !== 'object' || value === null) return
	const parts: SchemaNode = schema
	const branches = branchesOf(schema, value)
	if (parts.wrapped) collectUnread(parts.wrapped, value, path, unread)
	else if (branches) {
		const branch = branches.find((each) => v.is(each, value))
		if (branch) collectUnread(branch, value, path, unread)
	} else if (parts.item && Array.isArray(value)) {
		for (const [i, item] of value.entries()) collectUnread(parts.item, item, `${path}[${i}]`, unread)
	} else if (parts.entries) {
		// valibot takes an array for an object. PHP writes an empty object so, any other array is a mistake.
		if (Array.isArray(value) && value.length > 0) {
			throw new GatewayError('field-invalid', { field: path, expected: 'an object' })
		}
		for (const [key, item] of Object.entries(value)) {
			const here = join(path, key)
			const entry = Object.hasOwn(parts.entries, key) ? parts.entries[key] : parts.rest
			if (entry) collectUnread(entry, item, here, unread)
			else unread.push(here)
		}
	}
}
