/** Bodies that cost more than their size suggests, as text of a given size in bytes. */
import { message } from '../../harness/http.ts'

const event = (attributes: string, more = '') =>
	`{"version":1,"event":{"kind":"message"${more},"attributes":{${attributes}}}}`
const inList = (values: string) => event(`"a":[${values}]`)
const inString = (text: string) => event(`"a":"${text}"`)

/** An event with this as its id, as it stands. */
export const withId = (id: string): string => event(`"id":${id}`)

/** The bombs of a size, and what they are compared to: names and values as authors have them. */
export function bombsOf(size: number): { readonly plain: string; readonly bombs: { readonly [what: string]: string } } {
	const filled = (unit: string | ((i: number) => string), join = ',') => {
		const one = typeof unit === 'string' ? () => unit : unit
		const parts: string[] = []
		for (let length = 0, i = 0; length < size; i++) {
			parts.push(one(i))
			length += (parts[i] ?? '').length + 1
		}
		return parts.join(join)
	}
	const plain = event(filled((i) => `"name ${i}":"value of ${i}"`))
	const bombs = {
		brackets: '['.repeat(size),
		'brackets, closed': '['.repeat(size / 2) + ']'.repeat(size / 2),
		braces: '{"a":'.repeat(size / 5),
		'braces and brackets': '[{"a":'.repeat(size / 6),
		'brackets after blanks': `${' '.repeat(size - 100)}${'['.repeat(100)}`,
		'31 levels, over and over': inList(filled(`${'['.repeat(26)}${']'.repeat(26)}`)),
		'lists in an attribute': event(`"a":${'['.repeat(size / 2)}${']'.repeat(size / 2)}`),
		'objects in an attribute': event(`"a":${'{"a":'.repeat(size / 6)}1${'}'.repeat(size / 6)}`),
		'lists in a field of no format': event('', `,"x":${'['.repeat(size / 2)}${']'.repeat(size / 2)}`),
		'some thousand levels, as many times': inList(filled(`${'['.repeat(5000)}${']'.repeat(5000)}`)),
		'brackets in a string': inString('['.repeat(size)),
		'a string without an end': `{"a":"${'x'.repeat(size)}`,
		'a string of one letter': inString('x'.repeat(size)),
		'a string of escapes': inString('\\n'.repeat(size / 2)),
		'a string of escaped letters': inString('\\u0061'.repeat(size / 6)),
		'a string of backslashes': inString('\\\\'.repeat(size / 2)),
		'a string of quotes': inString('\\"'.repeat(size / 2)),
		'a string of astral letters': inString('😀'.repeat(size / 4)),
		'a string of half letters': inString('\\ud83d'.repeat(size / 6)),
		'a string of combining marks': inString('\u0301'.repeat(size / 2)),
		'a string of joiners': inString('👩\u200d'.repeat(size / 7)),
		'a string of words of another key': inString(filled('__proto__', ' ')),
		'a hundred thousand keys': event(filled((i) => `"${i.toString(36)}":1`)),
		'keys that are numbers': event(filled((i) => `"${i}":1`)),
		'keys that go down': event(filled((i) => `"${1e6 - i}":1`)),
		'keys that collide': event(filled((i) => `"${'Aa'.repeat(8)}${i % 7}${'BB'.repeat(8)}${i}":1`)),
		'the same key': event(filled('"a":1')),
		'the same long key': event(filled(`"${'k'.repeat(200)}":1`)),
		'keys of escapes': event(filled((i) => `"\\u0061${i}":1`)),
		'one key of all its size': event(`"${'k'.repeat(size)}":1`),
		'empty keys': event(filled('"":1')),
		'empty objects': inList(filled('{}')),
		'empty lists': inList(filled('[]')),
		'empty strings': inList(filled('""')),
		nulls: inList(filled('null')),
		zeros: inList(filled('0')),
		'numbers without end': inList(filled('1e999')),
		'numbers near nothing': inList(filled('1e-999')),
		'minus zeros': inList(filled('-0')),
		'numbers of many digits': inList(filled('12345678901234567890')),
		'fractions of many digits': inList(filled('0.12345678901234567890')),
		exponents: inList(filled('1e5')),
		'one number of all its size': inList('1'.repeat(size)),
		'one fraction of all its size': inList(`0.${'1'.repeat(size)}`),
		'one exponent of all its size': inList(`1e${'1'.repeat(size)}`),
		blanks: `${' '.repeat(size)}{}`,
		'blanks inside': event(`"a":${' '.repeat(size)}1`),
		lines: `${'\n'.repeat(size)}{}`,
		commas: `[${','.repeat(size)}]`,
		colons: `{${':'.repeat(size)}}`,
		'backslashes outside': '\\'.repeat(size),
		'quotes outside': '"'.repeat(size),
		minuses: `[${'-'.repeat(size)}]`,
		media: event('', `,"media":[${filled('{"kind":"image","url":"https://a.example/b"}')}]`),
		'media that are none': event('', `,"media":[${filled('{"kind":"other"}')}]`),
		contexts: event('', `,"contexts":[${filled('{"name":"a","parameters":{"b":1}}')}]`),
		'a default reply of texts': event('', `,"defaultReply":[${filled('{"type":"text","text":"a"}')}]`),
		'a default reply of none': event('', `,"defaultReply":[${filled('{"type":"none"}')}]`),
		'fields of no format': `{"version":1,"event":{"kind":"message","attributes":{},${filled((i) => `"x${i}":1`)}}}`,
		'fields of no format beside': `{"version":1,"event":{"kind":"message","attributes":{}},${filled((i) => `"x${i}":1`)}}`,
		'an event of a text': message('x'.repeat(size)),
		'an event of words': message(filled('word', ' ')),
		'an event of lines': message(filled('a', '\n')),
		'more than may be read': inString('x'.repeat(10_000_000)),
		'an event in a list': `[${filled('{"kind":"message"}')}]`,
	}
	return { plain, bombs }
}
