/** Looks into valibot's schemas, which are plain data: what stands at a path, and the names an object may have. */
import * as v from 'valibot'

/** What there is to see of a schema, whichever kind it is. */
export interface SchemaParts {
	readonly type: string
	/** Of an optional or nullable schema: what it is when it is there. */
	readonly wrapped?: v.GenericSchema
	/** Of a list. */
	readonly item?: v.GenericSchema
	/** Of an object whose other members are of one schema. */
	readonly rest?: v.GenericSchema
	/** Of a record. */
	readonly value?: v.GenericSchema
	/** Of an object. */
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	/** Of a union. */
	readonly options?: readonly v.GenericSchema[]
	/** Of a union whose branches are told apart by a member: its name. */
	readonly key?: string
}

/** The schema of what stands at the path; undefined when the schema has nothing there. `value` picks the branch. */
export function schemaAt(
	schema: v.GenericSchema,
	path: readonly (string | number)[],
	value: unknown,
): v.GenericSchema | undefined {
	const [key, ...rest] = path
	if (key === undefined) return schema
	const parts: SchemaParts = schema
	if (parts.wrapped) return schemaAt(parts.wrapped, path, value)
	if (parts.options) return first(branches(parts, value), (option) => schemaAt(option, path, value))
	const next = typeof key === 'number' ? parts.item : (own(parts.entries, key) ?? parts.value)
	return next && schemaAt(next, rest, memberOf(value, key))
}

/** The names that an object of this schema may have; none when it is not of an object. */
export function keysOf(schema: v.GenericSchema | undefined): readonly string[] {
	const parts: SchemaParts | undefined = schema
	if (parts?.wrapped) return keysOf(parts.wrapped)
	return Object.keys(parts?.entries ?? {})
}

function branches({ key, options = [] }: SchemaParts, value: unknown): readonly v.GenericSchema[] {
	if (key === undefined) return options
	return options.filter((option) => {
		const { entries }: SchemaParts = option
		const mark = own(entries, key)
		return mark !== undefined && v.is(mark, memberOf(value, key))
	})
}

function first<T, Found>(list: readonly T[], find: (each: T) => Found | undefined): Found | undefined {
	for (const each of list) {
		const found = find(each)
		if (found !== undefined) return found
	}
	return undefined
}

function own<T>(object: { readonly [key: string]: T } | undefined, key: string): T | undefined {
	return object && Object.hasOwn(object, key) ? object[key] : undefined
}

function memberOf(value: unknown, key: string | number): unknown {
	return typeof value === 'object' && value !== null ? own(value as { [key: string]: unknown }, String(key)) : undefined
}
