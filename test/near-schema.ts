/** Random values near a valibot schema: each part mostly what the schema asks for there, and sometimes anything else. */
import fc from 'fast-check'
import type * as v from 'valibot'
import { Attributes, Json } from '../src/model/index.ts'
import { jsonValues } from './arbitraries.ts'

/** What the walk needs to see of a schema. */
interface Parts {
	readonly type: string
	readonly wrapped?: v.GenericSchema
	readonly getter?: (value: unknown) => v.GenericSchema
	readonly item?: v.GenericSchema
	readonly value?: v.GenericSchema
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	readonly options?: readonly unknown[]
	readonly literal?: unknown
}

const json = jsonValues()
const texts = fc.constantFrom('', 'a', 'b', 'text', '7', ' 1.5 ', 'true', 'FALSE', '2026-01-02T03:04:05Z', 'ü')
const numbers = fc.constantFrom(0, 1, 2, 3, -1, 1.5, 1e300, Number.NaN)
const anything = fc.oneof(
	json,
	texts,
	fc.constantFrom<unknown>(undefined, null, false, true, [], {}, [1], [{ a: 1 }], { a: { b: [] } }, { constructor: 1 }),
)
const strays = fc.dictionary(fc.constantFrom('a', 'b', 'type', 'x y', '0', 'constructor', 'toString'), anything, {
	maxKeys: 2,
	noNullPrototype: true,
})

/** Values near the schema, as plain data: their members are in any order. */
export function near(schema: v.GenericSchema): fc.Arbitrary<unknown> {
	return fc.oneof({ arbitrary: wanted(schema), weight: 14 }, { arbitrary: anything, weight: 1 })
}

function wanted(schema: v.GenericSchema): fc.Arbitrary<unknown> {
	if (schema === Json) return json
	const parts: Parts = schema
	const { type, wrapped, getter, item, value, entries, options = [], literal } = parts
	const branches = options.filter(isSchema).map(near)
	if (wrapped) return fc.oneof({ arbitrary: near(wrapped), weight: 3 }, fc.constantFrom(undefined, null))
	if (getter) return fc.oneof(...[undefined, false, {}, []].map((given) => near(getter(given))))
	if (item) return fc.array(near(item), { maxLength: 3, size: 'max' })
	if (entries) return object(entries)
	if (value)
		return fc.dictionary(fc.constantFrom('0', '2', 'a', 'b'), near(value), { maxKeys: 3, noNullPrototype: true })
	if (branches.length > 0) return fc.oneof(...branches)
	if (options.length > 0) return fc.constantFrom(...options)
	if (type === 'literal') return fc.constant(literal)
	if (type === 'string') return texts
	if (type === 'number') return numbers
	if (type === 'boolean') return fc.boolean()
	return type === 'custom' && schema === Attributes ? strays : anything
}

function object(entries: NonNullable<Parts['entries']>): fc.Arbitrary<unknown> {
	const names = Object.keys(entries)
	const members = fc.record(Object.fromEntries(names.map((name) => [name, near(entries[name] as v.GenericSchema)])))
	// Mostly all members in the order of the schema, and nothing else.
	const kept = fc.oneof({ arbitrary: fc.constant(names), weight: 2 }, fc.shuffledSubarray(names))
	const more = fc.oneof({ arbitrary: fc.constant({}), weight: 3 }, strays)
	return fc.tuple(members, kept, more, fc.boolean()).map(([all, keys, others, first]) => {
		const own = keys.map((key) => [key, all[key]] as const)
		const foreign = Object.entries(others).filter(([key]) => !names.includes(key))
		return Object.fromEntries(first ? [...foreign, ...own] : [...own, ...foreign])
	})
}

function isSchema(option: unknown): option is v.GenericSchema {
	return typeof option === 'object' && option !== null && 'kind' in option && option.kind === 'schema'
}
