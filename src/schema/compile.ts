/**
 * Checks values by schemas at the speed of code written by hand: each schema becomes a function once, which checks a
 * value, makes the output and finds unlisted members in a single walk. valibot defines what is right: it checks what no
 * function here is written for, says what is wrong with a refused value, and test/schema/compiled.test.ts compares the two.
 */
import * as v from 'valibot'
import { reservedKeys } from '../model/index.ts'
import { type ActionNode, isSchema, type SchemaNode } from './inspect.ts'
import { addKey, type Finding, type Reading, readWithValibot } from './read-with-valibot.ts'

/**
 * The output of the schema for a value, and what the schema does not list, in the order of the value. `value` is plain
 * data, such as parsed JSON. The output shares with it what the schema does not change: neither may be modified.
 */
export function read<S extends v.GenericSchema>(schema: S, value: unknown): Reading<v.InferOutput<S>> {
	const found: Finding[] = []
	const output = checkOf(schema)(value, found)
	return output === refused ? readWithValibot(schema, value) : { output: output as v.InferOutput<S>, found }
}

/** Whether a value matches the schema: `v.is` at the speed of `read`. */
export function matches<S extends v.GenericSchema>(schema: S, value: unknown): value is v.InferInput<S> {
	return checkOf(schema)(value, []) !== refused
}

/** What the schema makes of a value; undefined if the value does not match it. */
export function outputOf<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> | undefined {
	const output = checkOf(schema)(value, [])
	return output === refused ? undefined : (output as v.InferOutput<S>)
}

/** Returns the output of a schema for a value, or `refused`, and adds to what was found. */
type Check = (value: unknown, found: Finding[]) => unknown

const refused = Symbol('refused')

const checks = new WeakMap<v.GenericSchema, Check>()

function checkOf(schema: v.GenericSchema): Check {
	let check = checks.get(schema)
	if (!check) {
		check = compile(schema)
		checks.set(schema, check)
	}
	return check
}

type Schema = v.GenericSchema & SchemaNode

function compile(schema: Schema): Check {
	const { type, pipe, literal, options = [], check, getter, item } = schema
	// A fallback takes the place of whatever is wrong.
	if ('fallback' in schema) return checkWithValibot(schema)
	if (pipe) return compilePipe(...pipe)
	switch (type) {
		case 'unknown':
			return (value) => value
		case 'string':
			return (value) => (typeof value === 'string' ? value : refused)
		case 'number':
			return (value) => (typeof value === 'number' && !Number.isNaN(value) ? value : refused)
		case 'boolean':
			return (value) => (typeof value === 'boolean' ? value : refused)
		case 'literal':
			return (value) => (value === literal ? value : refused)
		case 'picklist':
			return (value) => (options.includes(value) ? value : refused)
		case 'custom':
			return (value) => (check?.(value) ? value : refused)
		case 'lazy':
			return getter ? compileLazy(getter) : checkWithValibot(schema)
		case 'optional':
			return compileOptional(schema, true, false)
		case 'nullable':
			return compileOptional(schema, false, true)
		case 'nullish':
			return compileOptional(schema, true, true)
		case 'union':
			return firstOf(options.filter(isSchema).map(checkOf))
		case 'variant':
			return compileVariant(schema)
		case 'array':
			return item ? eachOf(checkOf(item)) : checkWithValibot(schema)
		case 'record':
			return compileRecord(schema)
		case 'object':
		case 'strict_object':
		case 'object_with_rest':
			return compileObject(schema)
		default:
			return checkWithValibot(schema)
	}
}

function checkWithValibot(schema: v.GenericSchema): Check {
	return (value, found) => {
		const reading = readWithValibot(schema, value)
		if (reading.issue) return refused
		for (const finding of reading.found) found.push(finding)
		return reading.output
	}
}

/** Returns the output of one action of a pipe, or `refused`. */
type Step = (value: unknown) => unknown

function compilePipe(first: v.GenericSchema, ...actions: readonly v.GenericPipeItem[]): Check {
	const check = checkOf(first)
	// Most members of the model are such texts.
	if (isBare(first, 'string') && actions.length === 1 && actions[0]?.type === 'non_empty') {
		return (value) => (typeof value === 'string' && value !== '' ? value : refused)
	}
	const steps = actions.map(stepOf)
	return (value, found) => {
		let output = check(value, found)
		for (const step of steps) {
			if (output === refused) return refused
			output = step(output)
		}
		return output
	}
}

function stepOf(action: v.GenericPipeItem): Step {
	const { type, requirement, operation }: ActionNode = action
	if (type === 'transform' && operation) return operation
	if (type === 'check' && typeof requirement === 'function') return (value) => (requirement(value) ? value : refused)
	if (type === 'non_empty') return (value) => (hasLength(value) && value.length === 0 ? refused : value)
	if (type === 'length') return (value) => (hasLength(value) && value.length !== requirement ? refused : value)
	if (type === 'max_length' && typeof requirement === 'number') {
		return (value) => (hasLength(value) && value.length > requirement ? refused : value)
	}
	if (type === 'min_value' && typeof requirement === 'number') {
		return (value) => (typeof value === 'number' && !(value >= requirement) ? refused : value)
	}
	if (type === 'min_entries' && typeof requirement === 'number') {
		return (value) => (isObject(value) && Object.keys(value).length < requirement ? refused : value)
	}
	if (type === 'max_entries' && typeof requirement === 'number') {
		return (value) => (isObject(value) && Object.keys(value).length > requirement ? refused : value)
	}
	// The first schema of a pipe says alone which members are listed.
	const check = action.kind === 'schema' ? checkOf(action) : checkWithValibot(v.pipe(v.unknown(), action))
	return (value) => check(value, [])
}

function compileLazy(getter: (value: unknown) => v.GenericSchema): Check {
	let last: v.GenericSchema | undefined
	let check: Check | undefined
	return (value, found) => {
		const schema = getter(value)
		// Nearly all values get the same schema, and to look that up takes longer than most checks.
		if (schema !== last || !check) {
			last = schema
			check = checkOf(schema)
		}
		return check(value, found)
	}
}

/** Checks an optional schema. The flags say which values count as absent. */
function compileOptional(schema: Schema, undefinedIsAbsent: boolean, nullIsAbsent: boolean): Check {
	const { wrapped, default: given } = schema
	// A default is checked like a value, and values must not share it.
	if (!wrapped || typeof given === 'function' || hasMembers(given)) return checkWithValibot(schema)
	const check = checkOf(wrapped)
	return (value, found) => {
		const isAbsent = (value === undefined && undefinedIsAbsent) || (value === null && nullIsAbsent)
		if (!isAbsent) return check(value, found)
		if (given === undefined) return value
		return given === null && nullIsAbsent ? null : check(anew(given), [])
	}
}

/** The same value, which nothing else has if it is an empty list or an empty object. */
function anew(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) return value
	return Array.isArray(value) ? [] : {}
}

function hasMembers(value: unknown): boolean {
	return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function firstOf(branches: readonly Check[]): Check {
	const [only] = branches
	if (only && branches.length === 1) return only
	return (value, found) => {
		const before = found.length
		for (const branch of branches) {
			const output = branch(value, found)
			if (output !== refused) return output
			found.length = before
		}
		return refused
	}
}

function compileVariant(schema: Schema): Check {
	const branches = new Map<unknown, Schema[]>()
	for (const option of (schema.options ?? []).filter(isSchema)) {
		const { entries = {} }: SchemaNode = option
		const discriminator: Schema | undefined = typeof schema.key === 'string' ? entries[schema.key] : undefined
		if (!discriminator || !isBare(discriminator, 'literal')) return checkWithValibot(schema)
		branches.set(discriminator.literal, [...(branches.get(discriminator.literal) ?? []), option])
	}
	const checks = new Map<unknown, Check>()
	for (const [literal, alike] of branches) {
		// When a pipe refuses what its first schema accepts, valibot does not try the next branch.
		if (alike.length > 1 && alike.some(({ pipe }) => pipe)) return checkWithValibot(schema)
		checks.set(literal, firstOf(alike.map(checkOf)))
	}
	const key = String(schema.key)
	return (value, found) => {
		const check = isObject(value) ? checks.get(value[key]) : undefined
		return check ? check(value, found) : refused
	}
}

/** Whether it is a schema of the type and nothing else. */
function isBare(schema: SchemaNode, type: string): boolean {
	return schema.type === type && !schema.pipe && !('fallback' in schema)
}

function eachOf(check: Check): Check {
	return (value, found) => {
		if (!Array.isArray(value)) return refused
		// The list itself, unless an item changes.
		let output: unknown[] | undefined
		for (let i = 0; i < value.length; i++) {
			const before = found.length
			const item: unknown = check(value[i], found)
			if (item === refused) return refused
			addKey(found, before, i)
			if (item !== value[i]) output ??= value.slice(0, i)
			output?.push(item)
		}
		return output ?? value
	}
}

function compileRecord(schema: Schema): Check {
	const withValibot = checkWithValibot(schema)
	if (!schema.value || typeof schema.key !== 'object' || !isBare(schema.key, 'string')) return withValibot
	const check = checkOf(schema.value)
	return (value, found) => {
		if (!isObject(value)) return refused
		const start = found.length
		const output: { [key: string]: unknown } = {}
		for (const key in value) {
			if (reservedKeys.has(key)) {
				found.length = start
				return withValibot(value, found)
			}
			const before = found.length
			const member = check(value[key], found)
			if (member === refused) return refused
			addKey(found, before, key)
			output[key] = member
		}
		return output
	}
}

/** A member that an object schema lists. */
interface Listed {
	readonly key: string
	/** Where it stands among the outputs. */
	readonly place: number
	readonly check: Check
	readonly ifAbsent: 'refused' | 'left out' | 'default'
}

const absent = Symbol('absent')

function compileObject(schema: Schema): Check {
	const { type, entries = {}, rest } = schema
	const withValibot = checkWithValibot(schema)
	if (Object.entries(entries).some(([key, entry]) => key in Object.prototype || isRare(entry))) return withValibot
	const isStrict = type === 'strict_object'
	const checkRest = rest && checkOf(rest)
	// Lists, in which a member is found by its place: a look-up of each key in a map takes longer than all of its checks.
	const keys = Object.keys(entries)
	const listed = Object.entries(entries).map(([key, entry], place): Listed => {
		return { key, place, check: checkOf(entry), ifAbsent: ifAbsent(entry) }
	})
	const expected = listed.filter((member) => member.ifAbsent !== 'left out')
	const none = listed.map((): unknown => absent)
	// What comes before that key, or everything, all of it as it was given.
	const outputsBefore = (value: Members, end?: string): unknown[] => {
		const outputs = none.slice()
		for (const key in value) {
			if (key === end) break
			const place = placeOf(key, keys, 0)
			if (place < keys.length) outputs[place] = value[key]
		}
		return outputs
	}
	return (value, found) => {
		if (!isObject(value)) return refused
		// valibot accepts a list as an object.
		if (Array.isArray(value)) return withValibot(value, found)
		const start = found.length
		// By place. Undefined as long as the output has the same members in the same order as the value: then it is the value.
		let outputs: unknown[] | undefined
		let last = -1
		let missing = expected.length
		for (const key in value) {
			const place = placeOf(key, keys, last + 1)
			const member = listed[place]
			const check = member ? member.check : checkRest
			if (!check) {
				if (isStrict) return refused
				found.push({ keys: [key], what: 'unlisted' })
				outputs ??= outputsBefore(value, key)
				continue
			}
			if (!member && reservedKeys.has(key)) {
				found.length = start
				return withValibot(value, found)
			}
			const before = found.length
			const given = value[key]
			const output = check(given, found)
			if (output === refused) return refused
			if (found.length > before) addKey(found, before, key)
			if (output !== given || place < last) outputs ??= outputsBefore(value, key)
			last = place
			if (!member) continue
			if (outputs) outputs[place] = output
			if (member.ifAbsent !== 'left out') missing--
		}
		if (missing > 0) {
			outputs ??= outputsBefore(value)
			for (const { place, check, ifAbsent } of expected) {
				if (outputs[place] !== absent) continue
				if (ifAbsent === 'refused') return refused
				const output = check(undefined, [])
				if (output === refused) return refused
				outputs[place] = output
			}
		}
		if (!outputs) return value
		const made: { [key: string]: unknown } = {}
		for (const { key, place } of listed) {
			const output = outputs[place]
			if (output !== absent) made[key] = output
		}
		if (!checkRest) return made
		// Checked once more, for the sake of all objects that need no copy.
		for (const key in value) if (!keys.includes(key)) made[key] = checkRest(value[key], [])
		return made
	}
}

/**
 * The index of the key among the keys; behind them if it is none of them. It is looked for from `next` on, as most senders
 * write members in the order of their documentation, which is the order of the schemas.
 */
function placeOf(key: string, keys: readonly string[], next: number): number {
	for (let place = next; place < keys.length; place++) if (keys[place] === key) return place
	for (let place = 0; place < next; place++) if (keys[place] === key) return place
	return keys.length
}

/** Whether valibot treats the absence of such a member in a way of its own. */
function isRare(entry: SchemaNode): boolean {
	return 'fallback' in entry || entry.type === 'exact_optional'
}

function ifAbsent({ type, default: given }: SchemaNode): Listed['ifAbsent'] {
	if (type !== 'optional' && type !== 'nullish') return 'refused'
	return given === undefined ? 'left out' : 'default'
}

type Members = { readonly [key: string]: unknown }

function isObject(value: unknown): value is Members {
	return typeof value === 'object' && value !== null
}

function hasLength(value: unknown): value is string | readonly unknown[] {
	return typeof value === 'string' || Array.isArray(value)
}
