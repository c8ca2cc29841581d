/** What a schema allows at a place, for those who write a value by hand. */
import * as v from 'valibot'
import { describeExpected } from './explain-issue.ts'
import { branchesOf, isSchema, type SchemaNode } from './inspect.ts'

/** A name or a value that may stand at a place. */
export interface Allowed {
	readonly text: string
	/** What is expected of the member of this name. */
	readonly expected?: string
}

/**
 * The names that an object at the path may have, and the strings that a value there may be. `value` selects the branches
 * of unions; where it selects none, because it is not finished, all of them count.
 */
export function allowedAt(
	schema: v.GenericSchema,
	path: readonly (string | number)[],
	value: unknown,
): { readonly names: readonly Allowed[]; readonly values: readonly Allowed[] } {
	let schemas = branches(schema, value)
	let here = value
	for (const key of path) {
		here = typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined
		schemas = schemas.flatMap((each) => membersOf(each, key)).flatMap((each) => branches(each, here))
	}
	return { names: once(schemas.flatMap(namesOf)), values: once(schemas.flatMap(valuesOf)) }
}

/** The schema without what makes it optional, or the branches of a union. */
function branches(schema: v.GenericSchema, value: unknown): v.GenericSchema[] {
	const { wrapped, options }: SchemaNode = schema
	if (wrapped) return branches(wrapped, value)
	const selected = branchesOf(schema, value)
	if (!selected) return [schema]
	const found = selected.length > 0 ? selected : (options ?? []).filter(isSchema)
	return found.flatMap((each) => branches(each, value))
}

function membersOf(schema: v.GenericSchema, key: string | number): v.GenericSchema[] {
	const { item, entries, value }: SchemaNode = schema
	if (typeof key === 'number') return item ? [item] : []
	const member = entries && Object.hasOwn(entries, key) ? entries[key] : value
	return member ? [member] : []
}

function namesOf(schema: v.GenericSchema): Allowed[] {
	const { entries = {} }: SchemaNode = schema
	return Object.entries(entries).map(([text, member]) => {
		const { wrapped }: SchemaNode = member
		const wanted = wrapped ?? member
		const [issue] = v.safeParse(wanted, undefined, { abortEarly: true }).issues ?? []
		const expected = issue && describeExpected(wanted, undefined, issue)
		return expected === undefined ? { text } : { text, expected }
	})
}

function valuesOf(schema: v.GenericSchema): Allowed[] {
	const { literal, options = [] }: SchemaNode = schema
	return [literal, ...options].flatMap((text) => (typeof text === 'string' ? [{ text }] : []))
}

function once(all: readonly Allowed[]): Allowed[] {
	return [...new Map(all.map((each) => [each.text, each])).values()]
}
