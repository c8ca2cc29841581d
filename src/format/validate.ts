/** Validates a value by a wire schema that allows unknown fields, and lists their paths. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { branchesOf, type SchemaNode } from '../schema/index.ts'
import { fieldPath, memberPath } from './field-path.ts'
import { invalidFields } from './mistakes.ts'

/**
 * The value as parsed by a wire schema, and the paths of all fields that the schema does not list. `at` is the path of
 * the value in its message. Throws `field-missing` or `field-invalid` for the first invalid field; `mistakes` has all.
 */
export function validate<S extends v.GenericSchema>(
	schema: S,
	value: unknown,
	at: readonly (string | number)[] = [],
): { wire: v.InferOutput<S>; unread: string[] } {
	const result = v.safeParse(schema, value, { abortEarly: true })
	if (!result.success) throw invalidFields(schema, value, at, result.issues[0])
	const unread: string[] = []
	collectUnread(schema, value, fieldPath(at), unread)
	return { wire: result.output, unread }
}

function collectUnread(schema: v.GenericSchema, value: unknown, path: string, unread: string[]): void {
	if (typeof value !== 'object' || value === null) return
	const parts: SchemaNode = schema
	const branches = branchesOf(schema, value)
	if (parts.wrapped) collectUnread(parts.wrapped, value, path, unread)
	else if (parts.getter) collectUnread(parts.getter(value), value, path, unread)
	else if (branches) {
		const branch = branches.find((candidate) => v.is(candidate, value))
		if (branch) collectUnread(branch, value, path, unread)
	} else if (parts.item && Array.isArray(value)) {
		for (const [i, item] of value.entries()) collectUnread(parts.item, item, `${path}[${i}]`, unread)
	} else if (parts.type === 'record' && parts.value) {
		for (const [key, member] of Object.entries(value)) collectUnread(parts.value, member, memberPath(path, key), unread)
	} else if (parts.entries) {
		// valibot accepts an array as an object. PHP encodes an empty object as an empty array; reject any other array.
		if (Array.isArray(value) && value.length > 0) {
			throw new GatewayError('field-invalid', { field: path, expected: 'an object' })
		}
		for (const [key, item] of Object.entries(value)) {
			const here = memberPath(path, key)
			const entry = Object.hasOwn(parts.entries, key) ? parts.entries[key] : parts.rest
			if (entry) collectUnread(entry, item, here, unread)
			else unread.push(here)
		}
	}
}
