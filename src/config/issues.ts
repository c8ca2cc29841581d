/** Collects the errors and warnings of a configuration: each names its path, none repeats a value. */
import * as v from 'valibot'
import { fieldPath } from '../format/index.ts'
import {
	branchIssues,
	closestName,
	describeExpected,
	isMissing,
	isUnknown,
	keysOf,
	pathOf,
	pathsOf,
	schemaAt,
} from '../schema/index.ts'

/** Keys and indices from the root of the configuration. */
export type Path = readonly (string | number)[]

/** An object whose members have not been checked yet. */
export type Members = { readonly [key: string]: unknown }

/** Thrown for a configuration that cannot be used. `mistakes` lists everything that is wrong with it, one line each. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError'
	readonly mistakes: readonly string[]
	/** The mistakes that say that an environment variable is not set. */
	readonly unset: readonly string[]

	constructor(mistakes: readonly string[], unset: readonly string[] = []) {
		super(`The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}.`)
		this.mistakes = mistakes
		this.unset = unset
	}
}

/** The errors and warnings found in a configuration. With warnings alone, the gateway still starts. */
export class ConfigIssues {
	readonly errors: string[] = []
	/** The errors that say that an environment variable is not set. */
	readonly unset: string[] = []
	readonly warnings: string[] = []

	/** Adds an error. Returns undefined, so that a reader can return it in place of a value. */
	error(path: Path, text: string): undefined {
		this.errors.push(line(path, text))
	}

	/** Adds an error that says that an environment variable is not set. */
	unsetVariable(path: Path, text: string): undefined {
		this.error(path, text)
		this.unset.push(line(path, text))
	}

	/** Throws a ConfigError if there are errors. */
	throwIfAny(): void {
		if (this.errors.length > 0) throw new ConfigError(this.errors, this.unset)
	}

	/** Adds a warning. */
	warning(path: Path, text: string): void {
		this.warnings.push(line(path, text))
	}

	/** The value as parsed by the schema. If it is invalid, adds an error for each issue and returns undefined. */
	parse<S extends v.GenericSchema>(schema: S, value: unknown, at: Path): v.InferOutput<S> | undefined {
		const result = v.safeParse(schema, value)
		if (result.success) return result.output
		for (const issue of result.issues) this.#addIssue(schema, value, issue, [], at)
		return undefined
	}

	/** The value as an object. If it is none, adds an error and returns undefined. */
	object(value: unknown, at: Path, otherwise = 'must be an object'): Members | undefined {
		return isObject(value) ? value : this.error(at, otherwise)
	}

	/**
	 * The valid members of an object, as parsed by its schema. Adds an error for each invalid member and each unknown key.
	 * Skips the members in `except`, which the caller reads.
	 */
	members<S extends v.StrictObjectSchema<v.ObjectEntries, undefined>>(
		schema: S,
		given: Members,
		at: Path,
		except: readonly string[] = [],
	): Partial<v.InferOutput<S>> {
		const valid: { [key: string]: unknown } = {}
		for (const key of Object.keys(given)) {
			if (!Object.hasOwn(schema.entries, key)) this.error([...at, key], noSuchKey(key, keysOf(schema)))
		}
		for (const [key, entry] of Object.entries(schema.entries)) {
			if (!except.includes(key)) valid[key] = this.parse(entry, given[key], [...at, key])
		}
		// Each member has just been parsed by the entry that types it.
		return valid as Partial<v.InferOutput<S>>
	}

	#addIssue(schema: v.GenericSchema, value: unknown, issue: v.BaseIssue<unknown>, parent: Path, at: Path): void {
		const path: Path = [...parent, ...pathOf(issue)]
		const nested = branchIssues(issue)
		for (const inner of nested) this.#addIssue(schema, value, inner, path, at)
		if (nested.length > 0) return
		for (const each of pathsOf(schema, value, issue, path)) {
			this.error([...at, ...each], describeIssue(schema, value, issue, each))
		}
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
function describeIssue(schema: v.GenericSchema, value: unknown, issue: v.BaseIssue<unknown>, path: Path): string {
	if (isUnknown(issue)) {
		return noSuchKey(String(path.at(-1)), keysOf(schemaAt(schema, path.slice(0, -1), value)))
	}
	if (isMissing(issue)) return 'is missing'
	if (!issue.message.startsWith('Invalid ')) return issue.message
	if (issue.type === 'non_empty') return 'must not be empty'
	const expected = describeExpected(schema, value, issue, path)
	return expected === undefined ? 'is not valid' : `must be ${expected}`
}
