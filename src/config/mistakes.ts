/** Collects what is wrong with a configuration: each mistake with its path, none with a value. */
import * as v from 'valibot'
import { fieldPath } from '../codec.ts'

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
export class Findings {
	readonly mistakes: string[] = []
	readonly warnings: string[] = []

	mistake(path: Path, text: string): undefined {
		this.mistakes.push(line(path, text))
	}

	warning(path: Path, text: string): void {
		this.warnings.push(line(path, text))
	}

	/** The value as the schema has it; undefined when it is not, and its issues are mistakes. */
	parse<S extends v.GenericSchema>(schema: S, value: unknown, at: Path): v.InferOutput<S> | undefined {
		const result = v.safeParse(schema, value)
		if (result.success) return result.output
		this.#issues(result.issues, at)
		return undefined
	}

	/** The members of an object; undefined when the value is none, which is then a mistake. */
	object(value: unknown, at: Path): Members | undefined {
		return isObject(value) ? value : this.mistake(at, 'must be an object')
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
			if (!Object.hasOwn(schema.entries, key)) this.mistake([...at, key], 'no such key')
		}
		for (const [key, entry] of Object.entries(schema.entries)) {
			if (!apart.includes(key)) right[key] = this.parse(entry, given[key], [...at, key])
		}
		// Each member has just been parsed by the entry that types it.
		return right as Partial<v.InferOutput<S>>
	}

	#issues(issues: readonly v.BaseIssue<unknown>[], at: Path): void {
		for (const issue of issues) {
			const path = [...at, ...keysOf(issue)]
			// The branches of a union that got further than its door know better what is wrong.
			const inside = issue.issues?.filter(({ path }) => path !== undefined) ?? []
			if (inside.length > 0) this.#issues(inside, path)
			else this.mistake(path, wording(issue))
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

function keysOf(issue: v.BaseIssue<unknown>): (string | number)[] {
	return issue.path?.map(({ key }) => (typeof key === 'number' ? key : String(key))) ?? []
}

const kinds: { readonly [expected: string]: string } = { Object: 'an object', Array: 'a list', string: 'text' }

// Not the issue's own message, which repeats what was received.
function wording({ kind, type, expected, received, requirement, message }: v.BaseIssue<unknown>): string {
	if (kind === 'schema' && expected === 'never') return 'no such key'
	if (kind === 'schema' && received === 'undefined') return 'is missing'
	if (type === 'non_empty') return 'must not be empty'
	if (type === 'integer') return 'must be a whole number'
	if (type === 'min_value') return `must be at least ${requirement}`
	if (type === 'max_value') return `must be at most ${requirement}`
	if (type === 'regex') return `must match ${requirement}`
	if ((type === 'check' || type === 'custom') && !message.startsWith('Invalid ')) return message
	if (expected === null) return 'is not valid'
	const choices = expected.replace(/^\((.*)\)$/, '$1').split(' | ')
	return `must be ${choices.map((each) => kinds[each] ?? each).join(' or ')}`
}
