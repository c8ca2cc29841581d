/** Wire messages as plain data, and the pieces a leg is made of: read text safely, check it by a schema, map it, write it. */
import * as v from 'valibot'
import { Attributes, findHostileKey, type Json } from './canonical.ts'
import { GatewayError } from './errors.ts'
import { expectedOf, isMissing, pathOf } from './expected.ts'
import type { Features } from './features.ts'
import { branchesOf, type SchemaParts } from './schema.ts'

/** Names repeat and order matters. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** An HTTP request as plain data. Header names are lower case; the body is well-formed Unicode. */
export interface WireRequest {
	readonly method: string
	readonly query: Fields
	readonly headers: Fields
	readonly body: string
}

/** An HTTP response as plain data. */
export interface WireResponse {
	readonly status: number
	readonly headers: Fields
	readonly body: string
}

/** What decode made of a wire message: the model, and the paths of what the model cannot say. */
export interface Decoded<Model> {
	readonly model: Model
	readonly unread: readonly string[]
}

/** One direction of talk in one format: a pure, synchronous, two-way mapping, and what it can express. */
export interface Leg<Wire, Model> {
	readonly carries: Features<Model>
	/**
	 * What this format alone says: the schema of `extensions[name]` of an event, of `overrides[name]` of a reply.
	 * Absent: it has nothing of its own.
	 */
	readonly native?: { readonly name: string; readonly schema: v.GenericSchema<Json> }
	/** Throws a GatewayError that names the field when the wire message is not of this format. */
	decode(wire: Wire): Decoded<Model>
	/** Takes a model in normal form, as fit returns it. */
	encode(model: Model): Wire
}

/** Levels of nesting that a JSON body may have. */
const maxDepth = 32

// Numbers that lose digits in a double: integers over 15 digits, long fractions, exponents; and minus zero, which
// JSON.stringify writes as zero. Only unquoted ones count.
const oddNumber = /[:[,]\s*(?:-0|-?(?:[\d.]{16}|[\d.]+[eE]))/
// Escapes can spell a key, so their presence is reason enough to look.
const hostileSpelling = /__proto__|constructor|prototype|\\u/

/**
 * JSON text as a value: at most 32 levels deep, without hostile keys, and with each number that a double cannot hold
 * kept as its source text. Throws `body-not-json`, `body-too-deep` or `hostile-key`.
 */
export function readJson(text: string): Json {
	checkDepth(text)
	let value: Json
	try {
		value = oddNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
	} catch (cause) {
		throw new GatewayError('body-not-json', {}, { cause })
	}
	const hostile = hostileSpelling.test(text) ? findHostileKey(value) : undefined
	if (hostile) throw new GatewayError('hostile-key', { field: fieldPath(hostile) })
	return value
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
	const source = context?.source
	if (typeof value !== 'number' || source === undefined) return value
	const digits = source.replace(/[eE].*|[^\d]/g, '')
	const vanished = value === 0 && /[1-9]/.test(digits)
	const exact = Number.isFinite(value) && !vanished && (digits.length <= 15 || String(value) === source)
	return exact ? value + 0 : source
}

// JSON.parse takes millions of brackets, and JSON.stringify dies of some thousands: so before parsing.
function checkDepth(text: string): void {
	let depth = 0
	let quoted = false
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i)
		if (quoted) {
			if (c === 0x5c) i++
			else if (c === 0x22) quoted = false
		} else if (c === 0x22) quoted = true
		else if (c === 0x7b || c === 0x5b) {
			if (++depth > maxDepth) throw new GatewayError('body-too-deep', { limit: maxDepth })
		} else if (c === 0x7d || c === 0x5d) depth--
	}
}

/**
 * A value checked by a lax wire schema, and the paths of all that the schema does not list. `at` is where the value
 * stands in its message. Throws `field-missing` or `field-invalid`, naming the first field at fault.
 */
export function check<S extends v.GenericSchema>(
	schema: S,
	value: unknown,
	at: readonly (string | number)[] = [],
): { wire: v.InferOutput<S>; unread: string[] } {
	const result = v.safeParse(schema, value, { abortEarly: true })
	if (!result.success) {
		const issue = result.issues[0]
		const expected = expectedOf(schema, value, issue)
		throw new GatewayError(isMissing(issue) ? 'field-missing' : 'field-invalid', {
			field: fieldPath([...at, ...pathOf(issue)]),
			...(expected === undefined ? {} : { expected }),
		})
	}
	const unread: string[] = []
	collectUnread(schema, value, fieldPath(at), unread)
	return { wire: result.output, unread }
}

function collectUnread(schema: v.GenericSchema, value: unknown, path: string, unread: string[]): void {
	if (typeof value !== 'object' || value === null) return
	const parts: SchemaParts = schema
	const branches = branchesOf(schema, value)
	if (parts.wrapped) collectUnread(parts.wrapped, value, path, unread)
	else if (branches) {
		const branch = branches.find((each) => v.is(each, value))
		if (branch) collectUnread(branch, value, path, unread)
	} else if (parts.item && Array.isArray(value)) {
		for (const [i, item] of value.entries()) collectUnread(parts.item, item, `${path}[${i}]`, unread)
	} else if (parts.entries) {
		// valibot takes an array for an object. PHP writes an empty object so, any other array is a mistake.
		if (Array.isArray(value) && value.length > 0) {
			throw new GatewayError('field-invalid', { field: path, expected: 'an object' })
		}
		for (const [key, item] of Object.entries(value)) {
			const here = join(path, key)
			const entry = Object.hasOwn(parts.entries, key) ? parts.entries[key] : parts.rest
			if (entry) collectUnread(entry, item, here, unread)
			else unread.push(here)
		}
	}
}

const plainName = /^[\w$-]{1,64}$/

function join(path: string, key: string): string {
	if (!plainName.test(key)) return `${path}[${JSON.stringify(key.slice(0, 64))}]`
	return path === '' ? key : `${path}.${key}`
}

/** A path of keys and indices as text: `result.contexts[1].name`. Long keys are cut. */
export function fieldPath(keys: readonly (string | number)[]): string {
	return keys.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : join(path, key)), '')
}

/** Author-named values as senders write them: null, false and PHP's empty array are ways to say none. */
export const WireAttributes = v.pipe(
	v.nullish(v.union([Attributes, v.literal(false), v.strictTuple([])], 'must be an object'), {}),
	v.transform((value): Attributes => (value && !Array.isArray(value) ? value : {})),
)

/** The value of a header, by its lower-case name. */
export function header(message: { readonly headers: Fields }, name: string): string | undefined {
	return message.headers.find(([each]) => each === name)?.[1]
}

/** The media type of a message in lower case, without parameters; empty when it says none. */
export function mediaType(message: { readonly headers: Fields }): string {
	return (header(message, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/**
 * The JSON body of a message, read as `readJson` does. Senders label JSON `application/json`, `…+json`, `text/plain` or
 * not at all; any other type throws `content-type-not-supported`.
 */
export function readJsonBody(message: { readonly headers: Fields; readonly body: string }): Json {
	const type = mediaType(message)
	const json = type === '' || type === 'application/json' || type === 'text/plain' || type.endsWith('+json')
	if (!json)
		throw new GatewayError('content-type-not-supported', { field: 'content-type', expected: 'application/json' })
	return readJson(message.body)
}

/** The header that goes with a JSON body. */
export const jsonHeaders: Fields = [['content-type', 'application/json']]

/** A POST of a JSON body. Undefined members are left out. */
export function jsonRequest(body: object): WireRequest {
	return { method: 'POST', query: [], headers: jsonHeaders, body: JSON.stringify(body) }
}

/** An answer with a JSON body. Undefined members are left out. */
export function jsonResponse(body: object, status = 200): WireResponse {
	return { status, headers: jsonHeaders, body: JSON.stringify(body) }
}

/** An error as RFC 9457 problem details; never cached. */
export function problemResponse(error: GatewayError, turn?: string): WireResponse {
	return {
		status: error.status,
		headers: [
			['content-type', 'application/problem+json'],
			['cache-control', 'no-store'],
			...(error.context.allowed ? [['allow', error.context.allowed.join(', ')] as const] : []),
			...(error.context.retryAfter ? [['retry-after', String(error.context.retryAfter)] as const] : []),
		],
		body: JSON.stringify(error.problem(turn)),
	}
}

/** The object without its undefined members: in the model, absent is the one way to say nothing. */
export function defined<T extends object>(object: T): T {
	for (const key of Object.keys(object)) {
		if (object[key as keyof T] === undefined) {
			const present = Object.entries(object).filter(([, value]) => value !== undefined)
			return Object.fromEntries(present) as T
		}
	}
	return object
}

/** The object without its undefined members, or undefined when none is left. */
export function definedOrNone<T extends object>(object: T): T | undefined {
	const present = defined(object)
	return Object.keys(present).length === 0 ? undefined : present
}

/** A string that says something, or undefined: the empty string is the platforms' way to say nothing. */
export function said(text: string | null | undefined): string | undefined {
	return text === '' || text === null ? undefined : text
}

/** The list, or undefined when it has no items. */
export function items<T>(list: readonly T[]): T[] | undefined {
	return list.length === 0 ? undefined : [...list]
}
