/** Collects what is wrong with a configuration: each mistake with its path, none with a value. */
import * as v from 'valibot'
import { fieldPath } from '../format/index.ts'
import { branchIssues, describeExpected, isMissing, isUnknown, keysOf, pathOf, schemaAt } from '../schema/index.ts'
import { closestName } from './did-you-mean.ts'

/** Keys and indices from the top of the configuration. */
export type Path = readonly (string | number)[]

/** An object, before its members have been looked at. */
export type Members = { readonly [key: string]: unknown }

/** A configuration that cannot be used; `mistakes` has all that is wrong with it, one line each. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError'
	readonly mistakes: readonly string[]

	constructor(mistakes: readonly string[]) {
		super(`The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}.`)
		this.mistakes = mistakes
	}
}

/** What was found while the configuration was read. A warning does not keep the gateway from starting. */
export class ConfigIssues {
	readonly mistakes: string[] = []
	readonly warnings: string[] = []

	issue(path: Path, text: string): undefined {
		this.mistakes.push(line(path, text))
	}

	warning(path: Path, text: string): void {
		this.warnings.push(line(path, text))
	}

	/** The value as the schema has it; undefined when it is not, and its issues are mistakes. */
	parse<S extends v.GenericSchema>(schema: S, value: unknown, at: Path): v.InferOutput<S> | undefined {
		const result = v.safeParse(schema, value)
		if (result.success) return result.output
		for (const issue of result.issues) this.#issue(schema, value, issue, [], at)
		return undefined
	}

	/** The members of an object; undefined when the value is none, which is then a mistake. */
	object(value: unknown, at: Path, otherwise = 'must be an object'): Members | undefined {
		return isObject(value) ? value : this.issue(at, otherwise)
	}

	/**
	 * The members of an object that are as its schema has them; every other one is a mistake, unknown keys too.
	 * Members named in `apart` are left for somebody else to read.
	 */
	members<S extends v.StrictObjectSchema<v.ObjectEntries, undefined>>(
		schema: S,
		given: Members,
		at: Path,
		apart: readonly string[] = [],
	): Partial<v.InferOutput<S>> {
		const right: { [key: string]: unknown } = {}
		for (const key of Object.keys(given)) {
			if (!Object.hasOwn(schema.entries, key)) this.issue([...at, key], noSuchKey(key, keysOf(schema)))
		}
		for (const [key, entry] of Object.entries(schema.entries)) {
			if (!apart.includes(key)) right[key] = this.parse(entry, given[key], [...at, key])
		}
		// Each member has just been parsed by the entry that types it.
		return right as Partial<v.InferOutput<S>>
	}

	#issue(schema: v.GenericSchema, value: unknown, issue: v.BaseIssue<unknown>, within: Path, at: Path): void {
		const path: Path = [...within, ...pathOf(issue)]
		// The branches of a union that got further than its door know better what is wrong.
		const inside = branchIssues(issue)
		for (const each of inside) this.#issue(schema, value, each, path, at)
		if (inside.length === 0) this.issue([...at, ...path], wording(schema, value, issue, path))
	}
}

function isObject(value: unknown): value is Members {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function line(path: Path, text: string): string {
	const where = fieldPath(path)
	return where === '' ? text : `${where}: ${text}`
}

function noSuchKey(key: string, names: readonly string[]): string {
	const meant = closestName(key, names)
	return meant === undefined ? 'no such key' : `no such key; did you mean "${meant}"?`
}

// Not the issue's own message, which repeats what was received.
function wording(schema: v.GenericSchema, value: unknown, issue: v.BaseIssue<unknown>, path: Path): string {
	if (isUnknown(issue)) {
		return noSuchKey(String(path.at(-1)), keysOf(schemaAt(schema, path.slice(0, -1), value)))
	}
	if (isMissing(issue)) return 'is missing'
	if (!issue.message.startsWith('Invalid ')) return issue.message
	if (issue.type === 'non_empty') return 'must not be empty'
	const expected = describeExpected(schema, value, issue, path)
	return expected === undefined ? 'is not valid' : `must be ${expected}`
}
