/** JSON bodies, read safely and written. */
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { findReservedKey, type Json } from '../model/index.ts'
import { fieldPath } from './field-path.ts'
import { type Fields, mediaType, type WireRequest, type WireResponse } from './wire.ts'

// Numbers that lose digits in a double: integers over 15 digits, long fractions, exponents; and minus zero, which
// JSON.stringify writes as zero. Only unquoted ones count.
const oddNumber = /[:[,]\s*(?:-0|-?(?:[\d.]{16}|[\d.]+[eE]))/

// Escapes can spell a key, so their presence is reason enough to look.
const reservedKeySpelling = /__proto__|constructor|prototype|\\u/

/**
 * JSON text as a value: at most 32 levels deep, without reserved keys, and with each number that a double cannot hold
 * kept as its source text. Throws `body-not-json`, `body-too-deep` or `reserved-key`.
 */
export function readJson(text: string): Json {
	checkDepth(text)
	let value: Json
	try {
		value = oddNumber.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
	} catch (cause) {
		throw new GatewayError('body-not-json', {}, { cause })
	}
	const reserved = reservedKeySpelling.test(text) ? findReservedKey(value) : undefined
	if (reserved) throw new GatewayError('reserved-key', { field: fieldPath(reserved) })
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

// JSON.parse accepts millions of brackets, but JSON.stringify fails on some thousands: check before parsing.
function checkDepth(text: string): void {
	const maxDepth = limits.jsonDepth.value
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

type Message = { readonly headers: Fields; readonly body: string }

// Messages are never modified, and several readers of a turn need the same value.
const parsed = new WeakMap<Pick<Message, 'body'>, { readonly value: Json } | { readonly error: unknown }>()

/** The body of a message as JSON, whatever its content type; parsed once per message. Throws what `readJson` throws. */
export function bodyAsJson(message: Pick<Message, 'body'>): Json {
	let outcome = parsed.get(message)
	if (!outcome) {
		outcome = parseBody(message.body)
		parsed.set(message, outcome)
	}
	if ('error' in outcome) throw outcome.error
	return outcome.value
}

function parseBody(text: string): { readonly value: Json } | { readonly error: unknown } {
	try {
		return { value: readJson(text) }
	} catch (error) {
		return { error }
	}
}

/**
 * The JSON body of a message, parsed once per message. Senders label JSON `application/json`, `…+json`, `text/plain` or
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

/** A POST of a JSON body. Undefined members are left out. */
export function jsonRequest(body: object): WireRequest {
	return { method: 'POST', query: [], headers: jsonHeaders, body: JSON.stringify(body) }
}

/** An answer with a JSON body. Undefined members are left out. */
export function jsonResponse(body: object, status = 200): WireResponse {
	return { status, headers: jsonHeaders, body: JSON.stringify(body) }
}
