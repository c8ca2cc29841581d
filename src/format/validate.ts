/** Validates a value by a wire schema that allows unknown fields, and lists their paths. */
import type * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { type Finding, read } from '../schema/index.ts'
import { fieldPath } from './field-path.ts'
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
	const reading = read(schema, value)
	if (reading.issue) throw invalidFields(schema, value, at, reading.issue)
	if (reading.found.length === 0) return { wire: reading.output, unread: [] }
	const list = reading.found.find(({ what }) => what === 'list')
	if (list) throw new GatewayError('field-invalid', { field: pathOf(list, at), expected: 'an object' })
	return { wire: reading.output, unread: reading.found.map((finding) => pathOf(finding, at)) }
}

function pathOf({ keys }: Finding, at: readonly (string | number)[]): string {
	return fieldPath([...at, ...keys.toReversed()])
}
