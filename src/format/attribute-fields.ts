/** Moves fields of the model out of the author's attributes when decoding, and back when encoding. */
import type { Attributes, Json } from '../model/index.ts'
import { fieldPath } from './field-path.ts'

/**
 * The name of the attribute that holds each field. Of several names, the first with a value is read, and the first in
 * the list is written.
 */
export type FieldMapping<Field extends string> = { readonly [field in Field]?: string | readonly string[] }

/** All names in the mapping; no other attribute can use them. */
export function namesOf(names: FieldMapping<string>): string[] {
	return Object.values(names).flatMap(listOf)
}

const none: readonly string[] = []

function listOf(names: string | readonly string[] | undefined): readonly string[] {
	return typeof names === 'string' ? [names] : (names ?? none)
}

/**
 * The fields from the attributes, and the remaining attributes. A number becomes a string; an empty string or null is
 * ignored; any other value is unread. `at` is the path of the attributes in their message.
 */
export function extractFields<Field extends string>(
	names: FieldMapping<Field>,
	attributes: Attributes,
	at: readonly string[],
): { fields: { [field in Field]?: string }; rest: Attributes; unread: string[] } {
	const fields: { [field in Field]?: string } = {}
	const taken: string[] = []
	const unread: string[] = []
	for (const field in names) {
		for (const name of listOf(names[field])) {
			if (fields[field] !== undefined || !Object.hasOwn(attributes, name)) continue
			const value = attributes[name]
			if (typeof value === 'number' || (typeof value === 'string' && value !== '')) fields[field] = String(value)
			else if (value !== '' && value !== null) unread.push(fieldPath([...at, name]))
			taken.push(name)
		}
	}
	if (taken.length === 0) return { fields, rest: attributes, unread }
	const rest: { [key: string]: Json } = {}
	for (const name in attributes) {
		const value = attributes[name]
		if (value !== undefined && !taken.includes(name)) rest[name] = value
	}
	return { fields, rest, unread }
}

/** Notes for the log: each of these options names attributes, and the call has none of them. */
export function absentFields<Field extends string>(
	names: FieldMapping<Field>,
	attributes: Attributes,
	options: readonly NoInfer<Field>[],
): { notes?: string[] } {
	const notes: string[] = []
	for (const option of options) {
		const all = listOf(names[option])
		if (all.length === 0 || all.some((name) => Object.hasOwn(attributes, name))) continue
		const named = all.map((name) => JSON.stringify(name)).join(' or ')
		notes.push(`the call has no attribute ${named}, which the option "${option}" names`)
	}
	return notes.length > 0 ? { notes } : {}
}

/** The attributes with the fields added to them: the inverse of `extractFields`. */
export function insertFields<Field extends string>(
	names: FieldMapping<Field>,
	attributes: Attributes,
	fields: { readonly [field in NoInfer<Field>]?: string | undefined },
): Attributes {
	let all: { [key: string]: Json } | undefined
	for (const field in names) {
		const [name] = listOf(names[field])
		const value = fields[field]
		if (name === undefined || value === undefined) continue
		all ??= { ...attributes }
		all[name] = value
	}
	return all ?? attributes
}
