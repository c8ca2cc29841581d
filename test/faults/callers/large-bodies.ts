/** JSON that costs more than its size suggests, as text. */
import type { Extent, Shapes } from './large-cases.ts'

/** Whole bodies of a size. */
export const largeBodies: Shapes<string> = {
	brackets: ({ size }) => '['.repeat(size),
	'brackets, closed': ({ size }) => '['.repeat(size / 2) + ']'.repeat(size / 2),
	braces: ({ size }) => '{"a":'.repeat(size / 5),
	'braces and brackets': ({ size }) => '[{"a":'.repeat(size / 6),
	'brackets after blanks': ({ size }) => `${' '.repeat(size)}${'['.repeat(100)}`,
	'a string without an end': ({ size }) => `{"a":"${'x'.repeat(size)}`,
	blanks: ({ size }) => `${' '.repeat(size)}{}`,
	lines: ({ size }) => `${'\n'.repeat(size)}{}`,
	commas: ({ size }) => `[${','.repeat(size)}]`,
	colons: ({ size }) => `{${':'.repeat(size)}}`,
	backslashes: ({ size }) => '\\'.repeat(size),
	quotes: ({ size }) => '"'.repeat(size),
	minuses: ({ size }) => `[${'-'.repeat(size)}]`,
	'more than may be read': () => `"${'x'.repeat(10_000_000)}"`,
}

/** Values of an object's member. */
const inString =
	(unit: string) =>
	({ size }: Extent) =>
		`"${unit.repeat(size / Buffer.byteLength(unit))}"`
const inList = (unit: string) => (extent: Extent) => `[${filled(extent, () => unit)}]`

export const largeValues: Shapes<string> = {
	'31 levels, over and over': inList(`${'['.repeat(24)}${']'.repeat(24)}`),
	lists: ({ size }) => `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
	objects: ({ size }) => `${'{"a":'.repeat(size / 6)}1${'}'.repeat(size / 6)}`,
	'some thousand levels, as many times': inList(`${'['.repeat(5000)}${']'.repeat(5000)}`),
	'brackets in a string': inString('['),
	'a string of one letter': inString('x'),
	'a string of escapes': inString('\\n'),
	'a string of escaped letters': inString('\\u0061'),
	'a string of backslashes': inString('\\\\'),
	'a string of quotes': inString('\\"'),
	'a string of astral letters': inString('😀'),
	'a string of half letters': inString('\\ud83d'),
	'a string of combining marks': inString('\u0301'),
	'a string of joiners': inString('👩\u200d'),
	'a string of words of another key': inString('__proto__ '),
	'empty objects': inList('{}'),
	'empty lists': inList('[]'),
	'empty strings': inList('""'),
	'strings of escapes': inList('"\\u0061"'),
	nulls: inList('null'),
	zeros: inList('0'),
	'zeros and one number without end': (extent) => `[${filled(extent, () => '0')},1e999]`,
	'numbers without end': inList('1e999'),
	'numbers near nothing': inList('1e-999'),
	'minus zeros': inList('-0'),
	'numbers of many digits': inList('12345678901234567890'),
	'fractions of many digits': inList('0.12345678901234567890'),
	exponents: inList('1e5'),
	'one number of all its size': ({ size }) => '1'.repeat(size),
	'one fraction of all its size': ({ size }) => `0.${'1'.repeat(size)}`,
	'one exponent of all its size': ({ size }) => `1e${'1'.repeat(size)}`,
	'blanks before a value': ({ size }) => `${' '.repeat(size)}1`,
	'images of no name': inList('{"kind":"image","url":"https://a.example/b"}'),
	contexts: inList('{"name":"a","parameters":{"b":1}}'),
}

/** Members of an object. */
const members = (unit: (i: number) => string) => (extent: Extent) => filled(extent, unit)

export const largeMembers: Shapes<string> = {
	'names and values as authors have them': members((i) => `"name ${i}":"value of ${i}"`),
	'short keys': members((i) => `"${i.toString(36)}":1`),
	'keys that are numbers': members((i) => `"${i}":1`),
	'keys that go down': members((i) => `"${1e6 - i}":1`),
	'keys that collide': members((i) => `"${'Aa'.repeat(8)}${i % 7}${'BB'.repeat(8)}${i}":1`),
	'the same key': members(() => '"a":1'),
	'the same long key': members(() => `"${'k'.repeat(200)}":1`),
	'keys of escapes': members((i) => `"\\u0061${i}":1`),
	'one key of all its size': ({ size }) => `"${'k'.repeat(size)}":1`,
	'long keys': members((i) => `"${i}${'k'.repeat(1000)}":1`),
	'empty keys': members(() => '"":1'),
	'keys of numbers without end': members((i) => `"${i.toString(36)}":1e999`),
	'keys of lists': members((i) => `"${i.toString(36)}":[[[]]]`),
}

/** Fields of a form. */
const fields = (unit: (i: number) => string) => (extent: Extent) => filled(extent, unit, '&')

export const largeForms: Shapes<string> = {
	'names and values': fields((i) => `name+${i}=value+of+${i}`),
	'names without values': fields((i) => code(i)),
	'names without values, all alike': fields(() => 'a'),
	'the same name': fields(() => 'a=1'),
	'a name without a value': ({ size }) => 'a'.repeat(size),
	'escaped letters': ({ size }) => `a=${'%61'.repeat(size / 3)}`,
	'broken escapes': ({ size }) => `a=${'%'.repeat(size)}`,
	'broken letters': ({ size }) => `a=${'%ff'.repeat(size / 3)}`,
	'escaped combining marks': ({ size }) => `a=${'%CC%81'.repeat(size / 6)}`,
	blanks: ({ size }) => `a=${'+'.repeat(size)}`,
	'signs for and': ({ size }) => '&'.repeat(size),
	'equals signs': ({ size }) => '='.repeat(size),
	'lists in PHP’s way': fields((i) => `a[${i}]=1`),
}

/** An event of the gateway's own JSON with this as an attribute, as it is. */
export const withId = (id: string): string => `{"version":1,"event":{"kind":"message","attributes":{"id":${id}}}}`

/** As many units as make up the size, but not more than the count. */
function filled({ size, count }: Extent, unit: (i: number) => string, join = ','): string {
	const parts: string[] = []
	for (let length = 0, i = 0; i < count; i++) {
		const part = unit(i)
		length += part.length + 1
		if (length > size) break
		parts.push(part)
	}
	return parts.join(join)
}

function code(i: number): string {
	return i.toString(36).padStart(4, '0')
}
