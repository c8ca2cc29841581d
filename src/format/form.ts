/** Reads and writes values by name: the fields of a form or a query, or the members of a JSON object. */
import * as v from 'valibot'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type Attributes, Json, reservedKeys } from '../model/index.ts'
import { fieldPath } from './field-path.ts'
import { readJsonBody } from './json.ts'
import { validate } from './validate.ts'
import { type Fields, mediaType, type WireRequest } from './wire.ts'

/** https://url.spec.whatwg.org/#application/x-www-form-urlencoded */
const formType = 'application/x-www-form-urlencoded'

type Message = { readonly headers: Fields; readonly body: string }

/** Whether a message's content type is that of a form. */
export function isForm(message: Message): boolean {
	return mediaType(message) === formType
}

/**
 * The fields of a form. A body without a type counts as one; any other type throws `content-type-not-supported`,
 * multipart included. Names as in `readFields`, bytes as in `parseFields`.
 */
export function readForm(message: Message): Attributes {
	if (message.body === '') return {}
	if (mediaType(message) !== '' && !isForm(message)) {
		throw new GatewayError('content-type-not-supported', { field: 'content-type', expected: formType })
	}
	return readFields(parseFields(message.body))
}

/** The fields of a query or a form as it is sent. Throws `too-many-values`, and `body-not-utf8` for percent-encoded bytes that are not UTF-8. */
export function parseFields(text: string): Fields {
	const most = limits.fields.value
	let at = -1
	for (let count = 0; ; count++) {
		if (count === most) throw new GatewayError('too-many-values', { limit: most })
		at = text.indexOf('&', at + 1)
		if (at === -1) break
	}
	try {
		return splitFields(text)
	} catch {
		return parseOddFields(text)
	}
}

/** The fields of a text in which each percent sign begins bytes of UTF-8; throws where one does not. The parser takes several times as long. */
function splitFields(text: string): Fields {
	const fields: [name: string, value: string][] = []
	for (const part of text.replaceAll('+', ' ').split('&')) {
		if (part === '') continue
		const end = part.indexOf('=')
		fields.push(end === -1 ? [decoded(part), ''] : [decoded(part.slice(0, end)), decoded(part.slice(end + 1))])
	}
	return fields
}

function decoded(text: string): string {
	return text.includes('%') ? decodeURIComponent(text) : text
}

/** The same for any text, in which a percent sign that encodes nothing stands for itself. */
function parseOddFields(text: string): Fields {
	// Behind an ampersand, because a question mark at the start would be taken off.
	const fields = [...new URLSearchParams(`&${withValues(text)}`)]
	// The parser replaces what it cannot decode, in silence.
	const odd = fields.find(([name, value]) => name.includes('\ufffd') || value.includes('\ufffd'))
	if (odd && !isUtf8(text)) throw new GatewayError('body-not-utf8', { field: fieldPath([odd[0]]) })
	return fields
}

function isUtf8(text: string): boolean {
	try {
		// A percent sign that encodes nothing stands for itself.
		decodeURIComponent(text.replace(/%(?![\da-f]{2})/gi, '%25'))
		return true
	} catch {
		return false
	}
}

// Adds missing equals signs: Node needs many seconds to parse a megabyte of names without them.
function withValues(body: string): string {
	return body
		.split('&')
		.map((field) => (field === '' || field.includes('=') ? field : `${field}=`))
		.join('&')
}

/** A POST with the values in a form. Leaves out undefined values. Throws `event-too-large`. */
export function formRequest(values: { readonly [name: string]: Json | undefined }): WireRequest {
	const body = new URLSearchParams(writeFields(values).map(([name, value]) => [name, value])).toString()
	return { method: 'POST', query: [], headers: [['content-type', formType]], body }
}

/** A GET with the values in the query. Leaves out undefined values. Throws `event-too-large`. */
export function queryRequest(values: { readonly [name: string]: Json | undefined }): WireRequest {
	return { method: 'GET', query: writeFields(values), headers: [], body: '' }
}

/** Fields as values by name: a string, or a list of strings for a repeated name. Throws `reserved-key`. */
export function readFields(fields: Fields): Attributes {
	const values: { [name: string]: string | string[] } = {}
	for (const [name, value] of fields) {
		if (reservedKeys.has(name)) throw new GatewayError('reserved-key', { field: fieldPath([name]) })
		const known = Object.hasOwn(values, name) ? values[name] : undefined
		if (known === undefined) values[name] = value
		else if (typeof known === 'string') values[name] = [known, value]
		else known.push(value)
	}
	return values
}

/** Values by name as fields. Leaves out undefined values, and writes values other than strings as JSON. */
function writeFields(values: { readonly [name: string]: Json | undefined }): Fields {
	const limit = limits.writtenForm.value
	let length = 0
	return Object.entries(values).flatMap(([name, value]) => {
		if (value === undefined) return []
		const text = typeof value === 'string' ? value : JSON.stringify(value)
		length += name.length + text.length
		if (length > limit) throw new GatewayError('event-too-large', { limit })
		return [[name, text] as const]
	})
}

const Values = v.objectWithRest({}, Json)

/** The values in a body: the fields of a form, or the members of a JSON object. A blank body has none. */
export function readBodyValues(message: Message): Attributes {
	if (isForm(message)) return readForm(message)
	return message.body.trim() === '' ? {} : validate(Values, readJsonBody(message)).wire
}

/** The values of the body and the query together. The body wins; a different value in the query is unread. */
export function mergeQuery(call: WireRequest, body: Attributes): { values: Attributes; unread: string[] } {
	const query = readFields(call.query)
	const hidden = Object.keys(query).filter(
		(name) => Object.hasOwn(body, name) && JSON.stringify(body[name]) !== JSON.stringify(query[name]),
	)
	return { values: { ...query, ...body }, unread: hidden.map((name) => fieldPath(['query', name])) }
}
