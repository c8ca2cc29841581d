/** Forms, queries and JSON objects as values by name, and the other way round. */
import { describe, expect, test } from 'vitest'
import { parseFields, readFields } from '../src/format/form.ts'
import {
	extractFields,
	type FieldMapping,
	formRequest,
	insertFields,
	mergeQuery,
	queryRequest,
	readBodyValues,
	readForm,
	type WireRequest,
} from '../src/format/index.ts'
import { limits } from '../src/limits.ts'
import { redactCall } from '../src/turn/index.ts'

const form = (body: string, type = 'application/x-www-form-urlencoded; charset=utf-8'): WireRequest => ({
	method: 'POST',
	query: [],
	headers: type === '' ? [] : [['content-type', type]],
	body,
})

describe('a form', () => {
	test('becomes values by name, with a list for a repeated name', () => {
		expect(readForm(form('a=1&b=x+%26+y&a=2&&%C3%A9=&a=3&c'))).toEqual({ a: ['1', '2', '3'], b: 'x & y', é: '', c: '' })
	})

	test('has the same fields whether anything in it is encoded or not', () => {
		const texts = ['a=1&b==&&c&=d&a=ü', '?a=1', '&', '=', 'a;b=c', '#=/?', '+a+=+b++', '+', 'a=+&+=c']
		for (const text of texts) {
			const plain = parseFields(text)
			expect(parseFields(`${text}&end=%20`)).toEqual([...plain, ['end', ' ']])
			expect(parseFields(`${text}&end=+`)).toEqual([...plain, ['end', ' ']])
		}
		expect(parseFields('?a=1')).toEqual([['?a', '1']])
		expect(parseFields('a=1&b==&&c&=d')).toEqual(Object.entries({ a: '1', b: '=', c: '', '': 'd' }))
	})

	test('needs no content type, but accepts no other', () => {
		expect(readForm(form('a=1', ''))).toEqual({ a: '1' })
		expect(readForm(form('', 'application/json'))).toEqual({})
		for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
			expect(() => readForm(form('a=1', type))).toThrow(
				expect.objectContaining({ code: 'content-type-not-supported', status: 415 }),
			)
		}
	})

	test('rejects reserved names, but accepts names of object members', () => {
		for (const name of ['__proto__', 'constructor', 'prototype', '%5f_proto__']) {
			expect(() => readForm(form(`a=1&${name}=x`))).toThrow(expect.objectContaining({ code: 'reserved-key' }))
		}
		expect(Object.entries(readForm(form('toString=1&hasOwnProperty=2&toString=3')))).toEqual([
			['toString', ['1', '3']],
			['hasOwnProperty', '2'],
		])
	})

	test.each([
		'a=caf%E9',
		'a=%C3',
		'a=%ED%A0%BD',
		'a=%ED%A0%BD%ED%B8%80',
		'a=%FF%FEx',
		'%E9=1',
		'b=%EF%BF%BD&a=%80',
		'a=%c0%80',
	])('is rejected if its percent-encoded bytes are not UTF-8: %s', (body) => {
		expect(() => readForm(form(body))).toThrow(expect.objectContaining({ code: 'body-not-utf8', status: 400 }))
	})

	test('may hold a replacement character of its own, and percent signs that encode nothing', () => {
		const body = 'a=%EF%BF%BD+100%&b=\ufffd%zz&c=%F0%9F%8E%88&d=%'
		expect(readForm(form(body))).toEqual({ a: '\ufffd 100%', b: '\ufffd%zz', c: '🎈', d: '%' })
	})

	test('with too many fields is refused before it is split', () => {
		const most = limits.fields.value
		for (const field of ['a', 'a=1', 'é=%20']) {
			expect(readForm(form(Array(most).fill(field).join('&')))).toEqual({ [field[0] ?? '']: expect.any(Array) })
			expect(() =>
				readForm(
					form(
						Array(most + 1)
							.fill(field)
							.join('&'),
					),
				),
			).toThrow(expect.objectContaining({ code: 'too-many-values', status: 400, context: { limit: most } }))
		}
	})
})

test.each([
	['', ''],
	['=', '='],
	['a b', 'c+d%20&e=f'],
	['é', '😀\n'],
])('what is written as field %j comes back', (name, value) => {
	expect(readForm(formRequest({ [name]: value, none: undefined }))).toEqual({ [name]: value })
	expect(readFields(queryRequest({ [name]: value, none: undefined }).query)).toEqual({ [name]: value })
})

test('values of a body are those of a form or of a JSON object', () => {
	expect(readBodyValues(form('a=1'))).toEqual({ a: '1' })
	expect(readBodyValues(form('{"a":1}', 'text/plain'))).toEqual({ a: 1 })
	expect(readBodyValues(form(' ', ''))).toEqual({})
	for (const body of ['[1]', '"a"', 'null', '1']) {
		expect(() => readBodyValues(form(body, 'application/json'))).toThrow(
			expect.objectContaining({ code: 'field-invalid' }),
		)
	}
})

test('the body takes precedence over the query, and hidden values are unread', () => {
	const call: WireRequest = {
		...form(''),
		query: [
			['a', '1'],
			['b', '2'],
			['c', '3'],
		],
	}
	expect(mergeQuery(call, { a: 'x', b: '2' })).toEqual({ values: { a: 'x', b: '2', c: '3' }, unread: ['query.a'] })
})

describe('a field that may have several names', () => {
	const names: FieldMapping<'text' | 'user'> = { text: ['msg', 'message'], user: 'uid' }

	test.each([
		[{ msg: 'a', message: 'b', x: 1 }, { text: 'a' }, { message: 'b', x: 1 }, []],
		[{ msg: '', message: 'b', uid: 7 }, { text: 'b', user: '7' }, {}, []],
		[{ msg: null, uid: '' }, {}, {}, []],
		[{ msg: { a: 1 }, message: 'b' }, { text: 'b' }, {}, ['msg']],
	])('is read from the first that says something: %j', (values, fields, rest, unread) => {
		expect(extractFields(names, values, [])).toEqual({ fields, rest, unread })
	})

	test('is written as the first', () => {
		expect(insertFields(names, { x: 1 }, { text: 'a', user: undefined })).toEqual({ x: 1, msg: 'a' })
	})
})

test('a form is passed on without its secrets', () => {
	expect(redactCall(form('user_id=2&access_token=a&note=hush'), ['hush'])).toMatchObject({
		body: { user_id: '2', access_token: '[redacted]', note: '[redacted]' },
	})
})

test('a secret within a longer text is redacted, too', () => {
	const body = JSON.stringify({
		bot: { webhook_url: 'https://gateway.example/shop/hush', url: 'https://shop.example' },
	})
	const call = { method: 'POST', query: [['page', 'https://gateway.example/shop/hush']] as const, headers: [], body }
	expect(redactCall(call, ['other', 'hush'])).toEqual({
		method: 'POST',
		query: [['page', '[redacted]']],
		body: { bot: { webhook_url: '[redacted]', url: 'https://shop.example' } },
	})
})

test.each([formRequest, queryRequest])('more than the limit is not written as a form: %o', (write) => {
	const room = limits.writtenForm.value - 'text'.length
	expect(() => write({ text: 'x'.repeat(room) })).not.toThrow()
	for (const values of [
		{ text: 'x'.repeat(room + 1) },
		{ text: 'x'.repeat(room), a: '' },
		{ list: Array(limits.writtenForm.value / 2).fill(0) },
	]) {
		expect(() => write(values)).toThrow(expect.objectContaining({ code: 'event-too-large' }))
	}
})
