/** Looks into valibot's schemas, which are plain data: what stands at a path, and the names an object may have. */
import * as v from 'valibot'

/** What there is to see of a schema, whichever kind it is. */
export interface SchemaNode {
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
	/** Of a union its branches; of a picklist what may be picked. */
	readonly options?: readonly unknown[]
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
	const parts: SchemaNode = schema
	if (parts.wrapped) return schemaAt(parts.wrapped, path, value)
	const options = branchesOf(schema, value)
	if (options) return first(options, (option) => schemaAt(option, path, value))
	const next = typeof key === 'number' ? parts.item : (own(parts.entries, key) ?? parts.value)
	return next && schemaAt(next, rest, memberOf(value, key))
}

/** The branches of a union that the value may be of, told by its mark where there is one. Undefined: it is no union. */
export function branchesOf(schema: v.GenericSchema, value: unknown): readonly v.GenericSchema[] | undefined {
	const { type, key, options }: SchemaNode = schema
	if (type !== 'union' && type !== 'variant') return undefined
	const branches = (options ?? []).filter(isSchema)
	if (key === undefined) return branches
	return branches.filter((branch) => {
		const { entries }: SchemaNode = branch
		if (!entries) return true
		const mark = own(entries, key)
		return mark !== undefined && v.is(mark, memberOf(value, key))
	})
}

/** The names that an object of this schema may have; none when it is not of an object. */
export function keysOf(schema: v.GenericSchema | undefined): readonly string[] {
	const parts: SchemaNode | undefined = schema
	if (parts?.wrapped) return keysOf(parts.wrapped)
	return Object.keys(parts?.entries ?? {})
}

function isSchema(value: unknown): value is v.GenericSchema {
	return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'
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
