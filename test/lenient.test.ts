/** Platforms and backends are loose about types: whatever means the same to them is decoded alike in every format. */
import { describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { GatewayError } from '../src/errors.ts'
import type { Json } from '../src/model/index.ts'
import { readFixtures } from './fixtures.ts'

type Path = readonly (string | number)[]

/** Another way to write a value, and whether it says the same. */
interface Writing {
	readonly value: Json
	readonly isSame: boolean
}

/** How languages without types write the value as well: PHP encodes a list with gaps as an object. */
function writingsOf(value: Json): Writing[] {
	if (typeof value === 'number') return [{ value: String(value), isSame: true }]
	// PHP's false may stand for nothing at all.
	if (value === true) {
		return [
			{ value: String(value), isSame: true },
			{ value: Number(value), isSame: false },
			{ value: String(Number(value)), isSame: false },
		]
	}
	// So may the empty string, and a flag is no other word.
	if (typeof value === 'string' && !/^(?:true|false|)$/i.test(value)) {
		const number = Number(value)
		return String(number) === value && Number.isSafeInteger(number)
			? [{ value: number, isSame: true }]
			: [{ value: 7, isSame: false }]
	}
	if (Array.isArray(value)) {
		return [{ value: Object.fromEntries(value.map((item, i) => [String(2 * i), item])), isSame: true }]
	}
	return value && Object.keys(value).length === 0 ? [{ value: [], isSame: true }] : []
}

function* placesIn(value: Json, at: Path = []): Generator<{ at: Path; value: Json }> {
	yield { at, value }
	if (typeof value !== 'object' || value === null) return
	const members: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
	for (const [key, member] of members) yield* placesIn(member, [...at, key])
}

function replaced(body: Json, [key, ...rest]: Path, value: Json): Json {
	if (key === undefined) return value
	if (Array.isArray(body)) return body.map((item, i) => (i === key ? replaced(item, rest, value) : item))
	if (typeof body !== 'object' || body === null) return body
	return Object.fromEntries(
		Object.entries(body).map(([name, member]) => [name, name === key ? replaced(member, rest, value) : member]),
	)
}

/** A value without the difference between the ways to write it. Author-named values keep the type they came with. */
function loosely(value: unknown): unknown {
	if (typeof value !== 'object' || value === null) return String(value)
	const members = Object.entries(value).map(([key, member]) => [key, loosely(member)] as const)
	if (members.every(([key]) => /^\d+$/.test(key))) return members.map(([, member]) => member)
	return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

interface Case {
	readonly name: string
	readonly body: Json
	decode(body: Json): unknown
}

/** What stands for the kind of a thing, so that another value is another kind; and what is of any shape, and read as it is. */
const skipped = /(?:^|\.)(?:type|_tdActionType|event)$|^data\.|\.request\.attributes\.payload$/

function casesOf({ name, create }: (typeof adapters)[number]): Case[] {
	const { event, reply } = readFixtures(new URL(`../adapters/${name}/fixtures/`, import.meta.url))
	const bodyOf = ({ body }: { readonly body: string }): Json | undefined => {
		try {
			return JSON.parse(body)
		} catch {
			return undefined
		}
	}
	return [
		...event.flatMap(({ name, wire, options }): Case[] => {
			const body = bodyOf(wire)
			const leg = create(options).event
			const decode = (body: Json) => leg.decode({ ...wire, body: JSON.stringify(body) }).model
			return body === undefined ? [] : [{ name, body, decode }]
		}),
		...reply.flatMap(({ name, wire, options, event }): Case[] => {
			const body = bodyOf(wire)
			const leg = create(options).reply(event)
			const decode = (body: Json) => leg?.decode({ ...wire, body: JSON.stringify(body) }).model
			return body === undefined ? [] : [{ name, body, decode }]
		}),
	]
}

/** What is decoded otherwise, or not at all, when a value is written in another way. */
function strictPlaces({ name, body, decode }: Case): string[] {
	const usual = JSON.stringify(loosely(decode(body)))
	const found: string[] = []
	for (const { at, value } of placesIn(body)) {
		if (at.length === 0 || skipped.test(at.join('.'))) continue
		for (const writing of writingsOf(value)) {
			const place = `${name}: ${at.join('.')} as ${JSON.stringify(writing.value)}`
			try {
				const decoded = JSON.stringify(loosely(decode(replaced(body, at, writing.value))))
				if (writing.isSame && decoded !== usual) found.push(`${place}: ${decoded} instead of ${usual}`)
			} catch (error) {
				found.push(`${place}: ${error instanceof GatewayError ? JSON.stringify(error.context) : error}`)
			}
		}
	}
	return found
}

// Our own format is strict, so that mistakes of a backend show at once.
describe.each(adapters.filter(({ name }) => name !== 'canonical'))('$name', (factory) => {
	test('is decoded whatever the types in which its values are written', () => {
		expect(casesOf(factory).flatMap(strictPlaces)).toEqual([])
	})
})
