/** A fast-check arbitrary from a valibot schema, for the few kinds of schema that the model and the adapters use. */
import fc from 'fast-check'
import * as v from 'valibot'
import { Attributes, Json } from '../src/model/index.ts'

/** What a schema says too little about. */
export interface Sources {
	/** Strings, unless the member's name or the schema asks for others. May be empty or blank. */
	readonly text: fc.Arbitrary<string>
	readonly json: fc.Arbitrary<Json>
	readonly attributes: fc.Arbitrary<Attributes>
	/** Values of a member by its name; undefined leaves it to the schema. */
	member?(name: string): fc.Arbitrary<unknown> | undefined
}

/** Values that satisfy the schema, from bare to full. Throws on a schema it does not know. */
export function arbitraryOf<S extends v.GenericSchema>(schema: S, sources: Sources): fc.Arbitrary<v.InferOutput<S>> {
	return walk(schema, sources, false).map((value) => v.parse(schema, value))
}

/** What the walk needs to see of valibot's schemas, which are plain data. */
interface Parts {
	readonly type: string
	readonly wrapped?: v.GenericSchema
	readonly item?: v.GenericSchema
	readonly entries?: { readonly [key: string]: v.GenericSchema }
	readonly options?: readonly unknown[]
	readonly literal?: unknown
	readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[]
}

// Lean values are those of long lists: few members, short lists, so that 120 of them are no burden.
function walk(schema: v.GenericSchema, sources: Sources, lean: boolean, name = ''): fc.Arbitrary<unknown> {
	const parts: Parts = schema
	const checked = parts.pipe?.some(({ type }) => type === 'check' || type === 'min_entries')
	const values = walkUnchecked(parts.pipe?.[0] ?? schema, parts, sources, lean, name)
	return checked || parts.type === 'custom' ? values.filter((value) => v.is(schema, value)) : values
}

function walkUnchecked(
	base: object,
	parts: Parts,
	sources: Sources,
	lean: boolean,
	name: string,
): fc.Arbitrary<unknown> {
	if (base === Json) return sources.json
	if (base === Attributes) return sources.attributes
	if (parts.wrapped) return walk(parts.wrapped, sources, lean, name)
	if (parts.entries) return object(parts.entries, sources, lean)
	if (parts.item) return list(parts.item, parts, sources, lean, name)
	const given = sources.member?.(name)
	switch (parts.type) {
		case 'literal':
			return fc.constant(parts.literal)
		case 'picklist':
			return fc.constantFrom(...(parts.options ?? []))
		case 'union':
		case 'variant':
			return fc.oneof(...(parts.options ?? []).filter(isSchema).map((option) => walk(option, sources, lean, name)))
		case 'boolean':
			return fc.boolean()
		case 'string':
			return (given ?? string(parts, sources)).filter((value) => atLeast(parts) === 0 || value !== '')
		case 'number':
			return number(parts)
		case 'custom':
			if (given) return given
	}
	throw new Error(`arbitraryOf does not know the schema "${parts.type}" of "${name}"`)
}

function isSchema(option: unknown): option is v.GenericSchema {
	return typeof option === 'object' && option !== null && 'kind' in option && option.kind === 'schema'
}

/** A counterexample becomes smaller by the first, and least, of several ways to make a value. */
const shrinkToFirst = { withCrossShrink: true }

function object(entries: NonNullable<Parts['entries']>, sources: Sources, lean: boolean): fc.Arbitrary<unknown> {
	const members = Object.entries(entries).map(([name, entry]) => {
		const optional = entry.type === 'optional' || entry.type === 'nullish' || entry.type === 'exact_optional'
		return { name, optional, value: walk(entry, sources, lean, name) }
	})
	const filled = (present: number, absent: number) => {
		const record = members.map(({ name, optional, value }) => {
			const none = { arbitrary: fc.constant(undefined), weight: absent }
			return [name, optional ? fc.oneof(shrinkToFirst, none, { arbitrary: value, weight: present }) : value]
		})
		return fc.record(Object.fromEntries(record)).map(withoutUndefined)
	}
	return lean ? filled(1, 9) : fc.oneof(filled(1, 4), filled(4, 1), filled(1, 1))
}

function withoutUndefined(value: object): object {
	return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}

function list(
	item: v.GenericSchema,
	parts: Parts,
	sources: Sources,
	lean: boolean,
	name: string,
): fc.Arbitrary<unknown> {
	const minLength = atLeast(parts)
	const most = requirement(parts, 'max_length')
	const one = walk(item, sources, lean, name)
	if (lean) return fc.array(one, { minLength, maxLength: 2, size: 'max' })
	const small = walk(item, sources, true, name)
	const sizes = [
		{ arbitrary: fc.array(one, { minLength, maxLength: 4, size: 'max' }), weight: 40, longest: 4 },
		{ arbitrary: fc.array(small, { minLength: 5, maxLength: 24, size: 'max' }), weight: 4, longest: 24 },
		{ arbitrary: fc.array(small, { minLength: 95, maxLength: 120, size: 'max' }), weight: 1, longest: 120 },
	]
	return fc.oneof(shrinkToFirst, ...sizes.filter(({ longest }) => typeof most !== 'number' || longest <= most))
}

function string(parts: Parts, sources: Sources): fc.Arbitrary<string> {
	const regex = requirement(parts, 'regex')
	return regex instanceof RegExp ? fc.stringMatching(regex) : sources.text
}

function number(parts: Parts): fc.Arbitrary<number> {
	const min = requirement(parts, 'min_value')
	const max = requirement(parts, 'max_value')
	const bounds = {
		...(typeof min === 'number' ? { min } : {}),
		...(typeof max === 'number' ? { max } : {}),
	}
	const whole = fc.oneof(fc.integer(bounds), fc.constantFrom(0, 1, 99, 100, 10_000, 10_001).filter(within))
	const real = fc.double({ ...bounds, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
	return requirement(parts, 'integer') === undefined ? fc.oneof(whole, real) : whole

	function within(value: number): boolean {
		return (typeof min !== 'number' || value >= min) && (typeof max !== 'number' || value <= max)
	}
}

function requirement(parts: Parts, type: string): unknown {
	return parts.pipe?.find((action) => action.type === type)?.requirement
}

function atLeast(parts: Parts): number {
	const least = requirement(parts, 'min_length')
	if (typeof least === 'number') return least
	return parts.pipe?.some((action) => action.type === 'non_empty') ? 1 : 0
}
