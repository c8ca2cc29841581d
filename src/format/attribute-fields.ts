/** Fields of the model that a format keeps among the author's attributes: taken out on the way in, put back on the way out. */
import type { Attributes, Json } from '../model/index.ts'
import { fieldPath } from './field-path.ts'

/**
 * The attribute's name for each field of the model that a format keeps among the author's attributes. Of several names
 * the first that says something is read, and the first of all is written.
 */
export type FieldMapping<Field extends string> = { readonly [field in Field]?: string | readonly string[] }

/** All the names, none of which an attribute can have. */
export function namesOf(names: FieldMapping<string>): string[] {
	return Object.values(names).flatMap((each) => each ?? [])
}

/**
 * The fields taken out of the attributes, and the attributes that are left. Numbers become strings, empty strings
 * and null say nothing, other values are unread. `at` is where the attributes stand in their message.
 */
export function extractFields<Field extends string>(
	names: FieldMapping<Field>,
	attributes: Attributes,
	at: readonly string[],
): { fields: { [field in Field]?: string }; rest: Attributes; unread: string[] } {
	const fields: { [field in Field]?: string } = {}
	const rest: { [key: string]: Json } = { ...attributes }
	const unread: string[] = []
	for (const field in names) {
		for (const name of [names[field] ?? []].flat()) {
			if (fields[field] !== undefined || !Object.hasOwn(attributes, name)) continue
			const value = attributes[name]
			if (typeof value === 'number' || (typeof value === 'string' && value !== '')) fields[field] = String(value)
			else if (value !== '' && value !== null) unread.push(fieldPath([...at, name]))
			delete rest[name]
		}
	}
	return { fields, rest, unread }
}

/** The attributes with the fields among them: `takeFields` the other way round. */
export function insertFields<Field extends string>(
	names: FieldMapping<Field>,
	attributes: Attributes,
	fields: { readonly [field in NoInfer<Field>]?: string | undefined },
): Attributes {
	const all: { [key: string]: Json } = { ...attributes }
	for (const field in names) {
		const [name] = [names[field] ?? []].flat()
		const value = fields[field]
		if (name !== undefined && value !== undefined) all[name] = value
	}
	return all
}
