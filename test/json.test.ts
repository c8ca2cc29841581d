/** How JSON text is read: which numbers keep their digits, and what is refused before anything is parsed. */
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bodyAsJson, forgetJson, longestReparsed, readJson } from '../src/format/json.ts'
import { limits } from '../src/limits.ts'
import { reservedKeys } from '../src/model/index.ts'

afterEach(() => void vi.restoreAllMocks())

/** What a reader that visits every value makes of a text: the slow way to the same result. */
function readSlowly(text: string): unknown {
	return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
		const source = context?.source
		if (typeof value !== 'number' || source === undefined) return value
		const digits = source.replace(/[eE].*|[^\d]/g, '')
		const vanished = value === 0 && /[1-9]/.test(digits)
		const exact = Number.isFinite(value) && !vanished && (digits.length <= 15 || String(value) === source)
		return exact ? value + 0 : source
	})
}

const outcome = (read: () => unknown): unknown => {
	try {
		return read()
	} catch {
		return 'refused'
	}
}

const number = fc.oneof(
	fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
	fc.bigInt().map(String),
	fc.constantFrom('-0', '-0.0', '0e1', '-0e5', '1e999', '-1e999', '1e-999', '1E5', '0.1000000000000000055', '1.0'),
	fc.constantFrom('01', '1.', '.5', '-', '+1', '1e', '1e+', '0x1', '1_000', 'Infinity', '--1', '1e9991e999'),
	fc.stringMatching(/^-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,4})?$/),
)
const piece = fc.oneof(
	number,
	fc.constantFrom(
		'{',
		'}',
		'[',
		']',
		',',
		':',
		' ',
		'\n',
		'"',
		'\\',
		'"a"',
		'"\\""',
		'"1e999"',
		'true',
		'null',
		'\u00a0',
	),
)

describe('numbers', () => {
	test('keep the digits that a double cannot hold, and no others', () => {
		fc.assert(
			fc.property(number, number, (a, b) => {
				for (const text of [
					a,
					`[${a},${b}]`,
					`{"a":${a} , "b":\n${b}}`,
					`{"${a}":${b}}`,
					`{${a}:${b}}`,
					`{"a":1,${a}:2}`,
				]) {
					expect([text, outcome(() => readJson(text))]).toEqual([text, outcome(() => readSlowly(text))])
				}
			}),
			{ numRuns: 2000 },
		)
	})

	test('in a text that is no JSON make none of it', () => {
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
				const text = pieces.join('')
				expect([text, outcome(() => readJson(text))]).toEqual([text, outcome(() => readSlowly(text))])
			}),
			{ numRuns: 5000 },
		)
	})
})

const value = fc.jsonValue().filter((each) => ![...reservedKeys].some((key) => JSON.stringify(each).includes(key)))

const countOf = (value: unknown): number =>
	typeof value === 'object' && value !== null
		? 1 + Object.values(value).reduce((sum, each) => sum + countOf(each), 0)
		: 1

describe('the number of values', () => {
	test('is that of values at every depth, and not of keys', () => {
		fc.assert(
			fc.property(value, fc.constantFrom(undefined, ' ', '\t'), (value, indent) => {
				const text = JSON.stringify(value, null, indent)
				const count = countOf(value)
				expect(() => readJson(text, count)).not.toThrow()
				if (count > 1) {
					expect(() => readJson(text, count - 1)).toThrow(
						expect.objectContaining({ code: 'too-many-values', context: { limit: count - 1 } }),
					)
				}
			}),
			{ numRuns: 1000 },
		)
	})

	const most = limits.values.value
	const parse = () => vi.spyOn(JSON, 'parse')

	test.each([
		['a list', `[${'0,'.repeat(most - 2)}0]`, `[${'0,'.repeat(most - 1)}0]`],
		['an object', `{${'"k":0,'.repeat(most - 2)}"k":0}`, `{${'"k":0,'.repeat(most - 1)}"k":0}`],
		['empty lists', `[${'[],'.repeat(most - 2)}[]]`, `[${'[],'.repeat(most - 1)}[]]`],
	])('of %s is limited before it is parsed', (_, allowed, refused) => {
		expect(() => readJson(allowed)).not.toThrow()
		const parsing = parse()
		expect(() => readJson(refused)).toThrow(expect.objectContaining({ code: 'too-many-values', status: 400 }))
		expect(parsing).not.toHaveBeenCalled()
	})

	test.each([
		['numbers', '1e999 '],
		['keys', '"a":'],
		['numbers as keys', '1e999:'],
		['strings', '""'],
	])('is limited where %s follow each other and are no JSON', (_, each) => {
		const parsing = parse()
		expect(() => readJson(each.repeat(3 * most))).toThrow(expect.objectContaining({ code: 'too-many-values' }))
		expect(parsing).not.toHaveBeenCalled()
	})

	test('does not count what stands in strings', () => {
		const text = `["${'[0,{:1e9} \\" \\\\'.repeat(most)}"]`
		expect(readJson(text, 2)).toEqual(JSON.parse(text))
	})
})

test('a large body is parsed once, until its value is forgotten', () => {
	const message = { body: JSON.stringify({ text: 'a'.repeat(longestReparsed) }) }
	const value = bodyAsJson(message)
	expect(bodyAsJson(message)).toBe(value)
	forgetJson(message)
	expect(bodyAsJson(message)).not.toBe(value)
	expect(bodyAsJson(message)).toEqual(value)
})
