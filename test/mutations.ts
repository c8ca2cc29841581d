/** Wire messages as nobody should send them: parts deleted, replaced, wrapped, renamed, or no JSON at all. */
import fc from 'fast-check'
import type { Fields, WireRequest, WireResponse } from '../src/format/index.ts'
import type { Json } from '../src/model/index.ts'
import { jsonValues } from './arbitraries.ts'

/** One thing done to a message. `at` picks the place, modulo their number. */
export type Mutation = (
	| { readonly what: 'delete' | 'wrap' | 'list' | 'string' | 'null' | 'repeat' }
	| { readonly what: 'replace'; readonly by: Json }
	| { readonly what: 'body'; readonly by: string }
	| { readonly what: 'cut' | 'header' | 'query' | 'method' }
) & { readonly at: number }

const bodies = fc.constantFrom(
	...['', ' ', 'null', '[]', '{}', '"text"', '42', 'true', '{', '{"a":1,}', 'a=b&c=d', '%', '<html>', '\ufeff{}'],
	...['{"__proto__":{"a":1}}', '{"a":{"constructor":1}}', '{"a":{"\\u0070rototype":1}}', '{"a":1e999,"b":-0}'],
	...['['.repeat(40), `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, '{"a":12345678901234567890}', '{"a":"\\ud800"}'],
)

/** Random mutations. */
export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
	fc.oneof(
		{ weight: 12, arbitrary: json('delete', 'wrap', 'list', 'string', 'null', 'repeat') },
		{ weight: 6, arbitrary: fc.record({ what: fc.constant('replace'), at: fc.nat(), by: jsonValues() }) },
		{ weight: 1, arbitrary: fc.record({ what: fc.constant('body'), at: fc.nat(), by: bodies }) },
		{ weight: 2, arbitrary: fc.record({ what: fc.constantFrom('cut', 'header', 'query', 'method'), at: fc.nat() }) },
	),
	{ minLength: 1, maxLength: 4, size: 'max' },
)

function json<W extends string>(...what: W[]): fc.Arbitrary<{ what: W; at: number }> {
	return fc.record({ what: fc.constantFrom(...what), at: fc.nat() })
}

/** The message after the mutations. */
export function mutate<W extends WireRequest | WireResponse>(wire: W, done: readonly Mutation[]): W {
	return done.reduce(mutateOnce, wire)
}

function mutateOnce<W extends WireRequest | WireResponse>(wire: W, mutation: Mutation): W {
	switch (mutation.what) {
		case 'body':
			return { ...wire, body: mutation.by }
		case 'cut':
			return { ...wire, body: wire.body.slice(0, mutation.at % (wire.body.length + 1)).toWellFormed() }
		case 'header':
			return { ...wire, headers: otherFields(wire.headers, mutation.at, 'content-type') }
		case 'query':
			return 'query' in wire ? { ...wire, query: otherFields(wire.query, mutation.at, 'x') } : wire
		case 'method':
			return 'method' in wire ? { ...wire, method: wire.method === 'GET' ? 'POST' : 'GET' } : wire
		default:
			return { ...wire, body: mutateBody(wire.body, mutation) }
	}
}

function otherFields(fields: Fields, at: number, name: string): Fields {
	const place = at % (fields.length + 1)
	const [field, value] = fields[place] ?? [name, '']
	const others = fields.filter((_, i) => i !== place)
	const variants: Fields[] = [
		others,
		[...fields, [field, value]],
		[...others, [field, 'other/x']],
		[...others, [field, '']],
	]
	return variants[at % variants.length] ?? others
}

function mutateBody(body: string, mutation: Mutation): string {
	let value: unknown
	try {
		value = JSON.parse(body)
	} catch {
		return mutateForm(body, mutation)
	}
	const root = { body: value }
	const places = placesIn(root)
	const place = places[mutation.at % places.length]
	if (place) mutateAt(place.holder, place.key, mutation)
	return JSON.stringify(root.body) ?? ''
}

function mutateForm(body: string, { what, at }: Mutation): string {
	const fields = body.split('&')
	const place = at % fields.length
	const field = fields[place] ?? ''
	const others = fields.filter((_, i) => i !== place)
	if (what === 'delete') return others.join('&')
	return [...others, what === 'null' ? `${field.split('=')[0]}=` : field, ...(what === 'repeat' ? [field] : [])].join(
		'&',
	)
}

interface Place {
	readonly holder: { [key: string]: unknown } | unknown[]
	readonly key: string
}

function placesIn(value: unknown): Place[] {
	if (!isHolder(value)) return []
	return Object.entries(value).flatMap(([key, member]) => [{ holder: value, key }, ...placesIn(member)])
}

function isHolder(value: unknown): value is Place['holder'] {
	return typeof value === 'object' && value !== null
}

function mutateAt(holder: Place['holder'], key: string, mutation: Mutation): void {
	const members: { [key: string]: unknown } = Object.fromEntries(Object.entries(holder))
	const old = members[key]
	if (mutation.what === 'delete') {
		if (Array.isArray(holder)) holder.splice(Number(key), 1)
		else delete holder[key]
		return
	}
	if (mutation.what === 'repeat' && Array.isArray(holder)) {
		holder.push(old)
		return
	}
	Object.defineProperty(holder, key, {
		value: other(old, mutation),
		enumerable: true,
		writable: true,
		configurable: true,
	})
}

function other(old: unknown, mutation: Mutation): unknown {
	switch (mutation.what) {
		case 'replace':
			return mutation.by
		case 'wrap':
			return { value: old }
		case 'list':
			return [old]
		case 'string':
			return typeof old === 'string' ? Number(old) || 0 : JSON.stringify(old)
		default:
			return null
	}
}
