/** Compares two JSON Schemas of the contract: which values of the one are no values of the other. */
import { isDeepStrictEqual } from 'node:util'

/** A JSON Schema with its definitions. */
export interface Schema {
	readonly [keyword: string]: unknown
}

/** Two schemas that are compared, each in the document whose definitions it refers to. */
interface Pair {
	readonly narrow: Schema
	readonly wide: Schema
}

/** What says nothing of a value. */
const annotations = ['$schema', '$defs', 'title', 'description', 'examples']

/** The least and the most: a narrower schema has the larger least and the smaller most. */
const least = ['minLength', 'minItems', 'minProperties', 'minimum']
const most = ['maxLength', 'maxItems', 'maxProperties', 'maximum']

/** What is the same in both, or is nowhere. */
const equal = ['pattern', 'format', 'propertyNames', 'not', 'default']

const known = new Set([
	...annotations,
	...least,
	...most,
	...equal,
	...['type', 'const', 'enum', 'required', 'properties', 'additionalProperties', 'items', 'anyOf', 'oneOf', '$ref'],
])

/** Where values that the narrow schema accepts may be refused by the wide one: a sentence each. None: every value is accepted. */
export function gaps(narrow: Schema, wide: Schema): string[] {
	const open = new Set<string>()

	function compare(pair: Pair, path: string): string[] {
		const [one, other] = [pair.narrow.$ref, pair.wide.$ref]
		const key = `${String(one)} ${String(other)}`
		if (one === undefined || other === undefined) return compareAll(pair, path)
		// Definitions may refer to themselves.
		if (open.has(key)) return []
		open.add(key)
		const found = compareAll(pair, path)
		open.delete(key)
		return found
	}

	function compareAll(pair: Pair, path: string): string[] {
		const [from, to] = [resolve(pair.narrow, narrow), resolve(pair.wide, wide)]
		for (const keyword of [...Object.keys(from), ...Object.keys(to)]) {
			if (!known.has(keyword)) throw new Error(`Nothing compares "${keyword}", which ${path} has`)
		}
		const here = { narrow: from, wide: to }
		return [
			...compareValues(here, path),
			...compareMembers(here, path),
			...compareItems(here, path),
			...compareBranches(here, path),
		]
	}

	function compareMembers(pair: Pair, path: string): string[] {
		const [inNarrow, inWide] = [objectOf(pair.narrow.properties), objectOf(pair.wide.properties)]
		const optional = listOf(pair.wide.required).filter((name) => !listOf(pair.narrow.required).includes(name))
		const isClosed = pair.narrow.additionalProperties === false
		const otherNarrow = objectOf(pair.narrow.additionalProperties)
		const found = optional.map((name) => `${path}.${String(name)} may be absent`)
		for (const [name, member] of Object.entries(inWide)) {
			if (name in inNarrow)
				found.push(...compare({ narrow: objectOf(inNarrow[name]), wide: objectOf(member) }, `${path}.${name}`))
			else if (!isClosed && !isDeepStrictEqual(otherNarrow, member)) found.push(`${path}.${name} is not described`)
		}
		if (pair.wide.additionalProperties === undefined) return found
		const { additionalProperties } = pair.wide
		for (const [name, member] of Object.entries(inNarrow)) {
			if (name in inWide) continue
			if (additionalProperties === false) found.push(`${path}.${name} is not accepted`)
			else found.push(...compare({ narrow: objectOf(member), wide: objectOf(additionalProperties) }, `${path}.${name}`))
		}
		if (isClosed) return found
		if (additionalProperties === false) return [...found, `${path} may have other members`]
		return [...found, ...compare({ narrow: otherNarrow, wide: objectOf(additionalProperties) }, `${path}.*`)]
	}

	function compareItems(pair: Pair, path: string): string[] {
		if (pair.wide.items === undefined) return []
		return compare({ narrow: objectOf(pair.narrow.items), wide: objectOf(pair.wide.items) }, `${path}[]`)
	}

	function compareBranches(pair: Pair, path: string): string[] {
		const wideBranches = branchesOf(pair.wide)
		if (!wideBranches) return []
		return (branchesOf(pair.narrow) ?? [pair.narrow]).flatMap((branch) => {
			const results = wideBranches.map((wide) => compare({ narrow: branch, wide }, `${path}${nameOf(branch)}`))
			// Of the branch that is meant, which has the least that is wrong.
			return results.reduce((best, each) => (each.length < best.length ? each : best))
		})
	}

	return compare({ narrow, wide }, '')
}

function compareValues({ narrow, wide }: Pair, path: string): string[] {
	const found: string[] = []
	const values = valuesOf(narrow)
	const accepted = valuesOf(wide)
	const types = [narrow.type, narrow.type === 'integer' ? 'number' : narrow.type]
	if (accepted && !values) found.push(`${path} may have any value`)
	if (accepted && values) {
		for (const value of values) if (!accepted.includes(value)) found.push(`${path} may be ${JSON.stringify(value)}`)
	}
	if (wide.type !== undefined && !accepted && !types.includes(wide.type) && typeof values?.[0] !== wide.type) {
		found.push(`${path} may be of another type than ${String(wide.type)}`)
	}
	for (const keyword of least)
		if (numberOf(narrow[keyword], 0) < numberOf(wide[keyword], 0)) found.push(`${path}: ${keyword}`)
	for (const keyword of most) {
		if (numberOf(narrow[keyword], Infinity) > numberOf(wide[keyword], Infinity)) found.push(`${path}: ${keyword}`)
	}
	for (const keyword of equal) {
		if (wide[keyword] !== undefined && !isDeepStrictEqual(narrow[keyword], wide[keyword]))
			found.push(`${path}: ${keyword}`)
	}
	return found
}

function resolve(schema: Schema, document: Schema): Schema {
	if (typeof schema.$ref !== 'string') return schema
	const { $ref, ...others } = schema
	return { ...objectOf(objectOf(document.$defs)[$ref.replace('#/$defs/', '')]), ...others }
}

function branchesOf({ anyOf, oneOf }: Schema): Schema[] | undefined {
	const branches = anyOf ?? oneOf
	return Array.isArray(branches) ? branches.map(objectOf) : undefined
}

/** The type of a message or a button, as a part of the path. */
function nameOf({ properties }: Schema): string {
	const type = objectOf(objectOf(properties).type).const
	return type === undefined ? '' : `<${String(type)}>`
}

function valuesOf(schema: Schema): readonly unknown[] | undefined {
	if (schema.const !== undefined) return [schema.const]
	return Array.isArray(schema.enum) ? schema.enum : undefined
}

function objectOf(value: unknown): Schema {
	return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : []
}

function numberOf(value: unknown, otherwise: number): number {
	return typeof value === 'number' ? value : otherwise
}
