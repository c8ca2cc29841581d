/** What a schema makes of a value, and what it does not list, by definition: valibot's own answer. */
import * as v from 'valibot'
import { branchesOf, type SchemaNode } from './inspect.ts'

/** Something that valibot accepts in silence. */
export interface Finding {
	/** Keys and indices, from the innermost to the outermost: most values have no findings, and need no paths. */
	readonly keys: (string | number)[]
	/** A member that the schema does not list, or a list with items where the schema has an object. */
	readonly what: 'unlisted' | 'list'
}

/** What a schema makes of a value, or the first issue. */
export type Reading<Output> =
	| { readonly output: Output; readonly found: readonly Finding[]; readonly issue?: undefined }
	| { readonly issue: v.BaseIssue<unknown> }

/** The output of the schema for a value, and what the schema does not list, in the order of the value. */
export function readWithValibot<S extends v.GenericSchema>(schema: S, value: unknown): Reading<v.InferOutput<S>> {
	const result = v.safeParse(schema, value, { abortEarly: true })
	if (!result.success) return { issue: result.issues[0] }
	const found: Finding[] = []
	find(schema, value, found)
	return { output: result.output, found }
}

function find(schema: v.GenericSchema, value: unknown, found: Finding[]): void {
	if (typeof value !== 'object' || value === null) return
	const parts: SchemaNode = schema
	const branches = branchesOf(schema, value)
	if (parts.wrapped) find(parts.wrapped, value, found)
	else if (parts.getter) find(parts.getter(value), value, found)
	else if (branches) {
		const branch = branches.find((candidate) => v.is(candidate, value))
		if (branch) find(branch, value, found)
	} else if (parts.item && Array.isArray(value)) {
		for (const [i, item] of value.entries()) findInMember(parts.item, item, i, found)
	} else if (parts.type === 'record' && parts.value) {
		for (const [key, member] of Object.entries(value)) findInMember(parts.value, member, key, found)
	} else if (parts.entries) {
		// PHP encodes an empty object as an empty array.
		if (Array.isArray(value) && value.length > 0) {
			found.push({ keys: [], what: 'list' })
			return
		}
		for (const [key, member] of Object.entries(value)) {
			const entry = Object.hasOwn(parts.entries, key) ? parts.entries[key] : parts.rest
			if (entry) findInMember(entry, member, key, found)
			else found.push({ keys: [key], what: 'unlisted' })
		}
	}
}

function findInMember(schema: v.GenericSchema, member: unknown, key: string | number, found: Finding[]): void {
	const before = found.length
	find(schema, member, found)
	addKey(found, before, key)
}

/** Adds the key of the object or list around them to the findings from that index on. */
export function addKey(found: readonly Finding[], from: number, key: string | number): void {
	for (let i = from; i < found.length; i++) found[i]?.keys.push(key)
}
