/** JSON bodies, read safely and written. */
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { findReservedKey, type Json, reservedKeys } from '../model/index.ts'
import { fieldPath } from './field-path.ts'
import { type Fields, mediaType, type WireRequest, type WireResponse } from './wire.ts'

/**
 * JSON text as a value: within the limits of depth and number, without reserved keys, and with each number that a double
 * cannot hold kept as its source text. `maxValues`: how many values it may have, where that is less than the limit.
 * Throws `body-not-json`, `body-too-deep`, `too-many-values` or `reserved-key`.
 */
export function readJson(text: string, maxValues: number = limits.values.value): Json {
	const { replacements, hasReserved } = scan(text, maxValues)
	let value: Json
	try {
		value = JSON.parse(replace(text, replacements))
	} catch (cause) {
		throw new GatewayError('body-not-json', {}, { cause })
	}
	// Escapes can spell a key, so their presence is reason enough to look.
	const reserved = hasReserved || text.includes('\\u') ? findReservedKey(value) : undefined
	if (reserved) throw new GatewayError('reserved-key', { field: fieldPath(reserved) })
	return value
}

const space = 0x20
const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const colon = 0x3a
const backslash = 0x5c
const bracket = { open: 0x5b, close: 0x5d }
const brace = { open: 0x7b, close: 0x7d }

/**
 * Looks through JSON text once, before it is parsed: JSON.parse accepts millions of brackets and values, which everything
 * behind it would have to handle. Returns what to parse in place of numbers that a double cannot hold, and whether a
 * string reads like a reserved key.
 */
function scan(
	text: string,
	maxValues: number,
): { readonly replacements: readonly Replacement[]; readonly hasReserved: boolean } {
	const maxDepth = limits.jsonDepth.value
	const replacements: Replacement[] = []
	let hasReserved = false
	let depth = 0
	let tokens = 0
	let keys = 0
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i)
		if (c === comma) continue
		if (c <= space) {
			// A single blank, or the few of an indentation, is passed faster without the expression.
			if (text.charCodeAt(i + 32) <= space) i = endOf(blanks, text, i) - 1
			continue
		}
		if (c === colon) {
			keys++
			continue
		}
		if (c === bracket.close || c === brace.close) {
			depth--
			continue
		}
		// A JSON text has no more keys than values. What is no JSON must not take longer.
		if (++tokens - keys > maxValues || tokens > 2 * maxValues) {
			throw new GatewayError('too-many-values', { limit: maxValues })
		}
		if (c === quote) {
			const end = endOfString(text, i)
			const length = end - i - 1
			if (length === 9 || length === 11) hasReserved ||= reservedKeys.has(text.slice(i + 1, end))
			i = end
		} else if (c === bracket.open || c === brace.open) {
			if (++depth > maxDepth) throw new GatewayError('body-too-deep', { limit: maxDepth })
		} else {
			const end = endOfWord(text, i)
			const json = c === minus || isDigit(c) ? keepDigits(text.slice(i, end)) : undefined
			if (json !== undefined && !isKey(text, end)) replacements.push({ from: i, to: end, json })
			i = end - 1
		}
	}
	return { replacements, hasReserved }
}

/** The index of the quote that ends the string. */
function endOfString(text: string, start: number): number {
	const next = text.indexOf('"', start + 1)
	if (next === -1) return text.length
	if (text.charCodeAt(next - 1) !== backslash) return next
	for (let i = start + 1; i < text.length; i++) {
		const c = text.charCodeAt(i)
		if (c === backslash) i++
		else if (c === quote) return i
	}
	return text.length
}

const blanks = /[\0-\x20]*/y
const wordCharacters = /[^\0-\x20,:"[\]{}]*/y

/** The index behind everything from the start on that the expression, a sticky one, matches. */
function endOf(expression: RegExp, text: string, start: number): number {
	expression.lastIndex = start
	expression.test(text)
	return expression.lastIndex
}

/** The index behind a number or a name. */
function endOfWord(text: string, start: number): number {
	const shortWord = start + 32
	let end = start + 1
	while (end < text.length && !isPunctuation(text.charCodeAt(end))) {
		if (++end === shortWord) return endOf(wordCharacters, text, end)
	}
	return end
}

function isPunctuation(c: number): boolean {
	return (
		c <= space ||
		c === comma ||
		c === colon ||
		c === quote ||
		c === bracket.open ||
		c === bracket.close ||
		c === brace.open ||
		c === brace.close
	)
}

function isDigit(c: number): boolean {
	return c >= 0x30 && c <= 0x39
}

function isKey(text: string, end: number): boolean {
	return text.charCodeAt(endOf(blanks, text, end)) === colon
}

// Only these lose digits in a double: integers over 15 digits, long fractions, exponents. JSON.stringify writes minus zero
// as zero.
const oddNumber = /^-0|[eE]|^.{16}/
const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Characters of the longest text that a double has. A longer number takes time to convert, and is not exact. */
const longestExact = 30

/** What to parse in place of a number that a double cannot hold: its source as a string. Undefined for any other. */
function keepDigits(source: string): string | undefined {
	if (!oddNumber.test(source) || !numberForm.test(source)) return undefined
	if (source.length > longestExact) return `"${source}"`
	const value = Number(source)
	if (!isExact(source, value)) return `"${source}"`
	return Object.is(value, -0) ? '0' : undefined
}

function isExact(source: string, value: number): boolean {
	if (!Number.isFinite(value)) return false
	if (String(value) === source) return true
	const digits = source.replace(/[eE].*|\D/g, '')
	return digits.length <= 15 && (value !== 0 || !/[1-9]/.test(digits))
}

/** A part of a text, and the JSON that takes its place. */
interface Replacement {
	readonly from: number
	readonly to: number
	readonly json: string
}

function replace(text: string, replacements: readonly Replacement[]): string {
	if (replacements.length === 0) return text
	const parts: string[] = []
	let at = 0
	for (const { from, to, json } of replacements) {
		parts.push(text.slice(at, from), json)
		at = to
	}
	return [...parts, text.slice(at)].join('')
}

type Message = { readonly headers: Fields; readonly body: string }

/** UTF-16 units of the longest body that is parsed for each of its readers: to remember the value of one takes longer. */
export const longestReparsed = 16 * 1024

// Messages are never modified, and several readers of a turn need the same value.
const parsed = new WeakMap<Pick<Message, 'body'>, { readonly value: Json } | { readonly error: unknown }>()

/** The body of a message as JSON, whatever its content type. A large one is parsed once. Throws what `readJson` throws. */
export function bodyAsJson(message: Pick<Message, 'body'>): Json {
	if (message.body.length <= longestReparsed) return readJson(message.body)
	let outcome = parsed.get(message)
	if (!outcome) {
		outcome = parseBody(message.body)
		parsed.set(message, outcome)
	}
	if ('error' in outcome) throw outcome.error
	return outcome.value
}

/**
 * Forgets the parsed value of a large message, so that reading the message again parses it again. Left to the WeakMap, the
 * value would outlive its message by at least one garbage collection, which would copy it.
 */
export function forgetJson(message: Pick<Message, 'body'>): void {
	parsed.delete(message)
}

function parseBody(text: string): { readonly value: Json } | { readonly error: unknown } {
	try {
		return { value: readJson(text) }
	} catch (error) {
		return { error }
	}
}

/**
 * The JSON body of a message, as `bodyAsJson` reads it. Senders label JSON `application/json`, `…+json`, `text/plain` or
 * not at all; any other type throws `content-type-not-supported`. Throws what `readJson` throws.
 */
export function readJsonBody(message: Message): Json {
	const type = mediaType(message)
	const json = type === '' || type === 'application/json' || type === 'text/plain' || type.endsWith('+json')
	if (!json)
		throw new GatewayError('content-type-not-supported', { field: 'content-type', expected: 'application/json' })
	return bodyAsJson(message)
}

/** The header that goes with a JSON body. */
const jsonHeaders: Fields = [['content-type', 'application/json']]

const noQuery: Fields = []

/** A POST of a JSON body. Undefined members are left out. */
export function jsonRequest(body: object): WireRequest {
	return { method: 'POST', query: noQuery, headers: jsonHeaders, body: JSON.stringify(body) }
}

/** An answer with a JSON body. Undefined members are left out. */
export function jsonResponse(body: object, status = 200): WireResponse {
	return { status, headers: jsonHeaders, body: JSON.stringify(body) }
}
