/** Looks inside valibot schemas, which are plain data: the schema at a path, the branches of a union, the keys of an object. */
import * as v from 'valibot'

/** The parts of a schema of any kind that this project reads. */
export interface SchemaNode {
	readonly type: string
	/** Of an optional or nullable schema: the schema of a present value. */
	readonly wrapped?: v.GenericSchema
	/** Of a lazy schema: the schema of a value. */
	readonly getter?: (value: unknown) => v.GenericSchema
	/** Of a list: the schema of its items. */
	readonly item?: v.GenericSchema
	/** Of an object: the schema of members that `entries` does not list. */
	readonly rest?: v.GenericSchema
	/** Of a record: the schema of its values. */
	readonly value?: v.GenericSchema
	/** Of an object: the schemas of its members by name. */
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	/** Of a union: its branches. Of a picklist: its values. */
	readonly options?: readonly unknown[]
	/** Of a variant: the name of its discriminator. Of a record: the schema of its keys. */
	readonly key?: string | v.GenericSchema
	/** Of an optional or nullable schema: what an absent value stands for. */
	readonly default?: unknown
	readonly literal?: unknown
	/** Of a custom schema. */
	readonly check?: (value: unknown) => boolean
	/** The schema in front and what is done with its output. The other parts are those of that schema. */
	readonly pipe?: readonly [v.GenericSchema, ...v.GenericPipeItem[]]
}

/** The parts of an action of a pipe that this project reads. */
export interface ActionNode {
	readonly type: string
	/** Of a validation: what it asks for. */
	readonly requirement?: unknown
	/** Of a transformation. */
	readonly operation?: (value: unknown) => unknown
}

/** The schema at the path; undefined if there is none. `value` selects the branch of a union. */
export function schemaAt(
	schema: v.GenericSchema,
	path: readonly (string | number)[],
	value: unknown,
): v.GenericSchema | undefined {
	const [key, ...rest] = path
	if (key === undefined) return schema
	const parts: SchemaNode = schema
	if (parts.wrapped) return schemaAt(parts.wrapped, path, value)
	if (parts.getter) return schemaAt(parts.getter(value), path, value)
	const options = branchesOf(schema, value)
	if (options) return firstDefined(options, (option) => schemaAt(option, path, value))
	const next = typeof key === 'number' ? parts.item : (ownMember(parts.entries, key) ?? parts.value)
	return next && schemaAt(next, rest, memberOf(value, key))
}

/** The branches of a union that the value may match, by the discriminator if there is one. Undefined: not a union. */
export function branchesOf(schema: v.GenericSchema, value: unknown): readonly v.GenericSchema[] | undefined {
	const { type, key, options }: SchemaNode = schema
	if (type !== 'union' && type !== 'variant') return undefined
	const branches = (options ?? []).filter(isSchema)
	if (typeof key !== 'string') return branches
	return branches.filter((branch) => {
		const { entries }: SchemaNode = branch
		if (!entries) return true
		const discriminator = ownMember(entries, key)
		return discriminator !== undefined && v.is(discriminator, memberOf(value, key))
	})
}

/** The keys that an object of this schema may have; none if the schema is not that of an object. */
export function keysOf(schema: v.GenericSchema | undefined): readonly string[] {
	const parts: SchemaNode | undefined = schema
	if (parts?.wrapped) return keysOf(parts.wrapped)
	return Object.keys(parts?.entries ?? {})
}

/** The keys that an object at the path may have, by the branches of a union that its value may match. */
export function namesAt(schema: v.GenericSchema, path: readonly (string | number)[], value: unknown): string[] {
	const found = schemaAt(schema, path, value)
	if (!found) return []
	const branches = branchesOf(found, path.reduce(memberOf, value))
	return (branches ?? [found]).flatMap(keysOf)
}

export function isSchema(value: unknown): value is v.GenericSchema {
	return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema'
}

function firstDefined<T, Found>(list: readonly T[], find: (item: T) => Found | undefined): Found | undefined {
	for (const item of list) {
		const found = find(item)
		if (found !== undefined) return found
	}
	return undefined
}

function ownMember<T>(object: { readonly [key: string]: T } | undefined, key: string): T | undefined {
	return object && Object.hasOwn(object, key) ? object[key] : undefined
}

function memberOf(value: unknown, key: string | number): unknown {
	return typeof value === 'object' && value !== null
		? ownMember(value as { [key: string]: unknown }, String(key))
		: undefined
}
