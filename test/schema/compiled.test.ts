/** Schemas compiled to functions agree with valibot: on what is valid, on the output, and on what a schema does not list. */
import fc from 'fast-check'
import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { adapters } from '../../adapters/index.ts'
import { fitEvent, fitReply } from '../../src/fit/index.ts'
import {
	Attributes,
	CanonicalEvent,
	CanonicalReply,
	Json,
	NonEmpty,
	WireAttributes,
	WireCount,
	WireFlag,
	WireNumber,
	WireOptionalText,
	WireText,
	wireList,
	wireObject,
} from '../../src/format/index.ts'
import { LimitedAttributes, nonEmptyArray } from '../../src/model/constraints.ts'
import { matches, outputOf, read } from '../../src/schema/compile.ts'
import { readWithValibot } from '../../src/schema/read-with-valibot.ts'
import { jsonValues } from '../arbitraries.ts'
import { readFixtures } from '../fixtures.ts'
import { mutate, mutations } from '../mutations.ts'
import { near } from '../near-schema.ts'

/** The schemas by which adapters read, and what they read. */
const readings = vi.hoisted(() => new Map<v.GenericSchema, unknown[]>())

vi.mock('../../src/schema/index.ts', async (importOriginal) => {
	const room = await importOriginal<typeof import('../../src/schema/index.ts')>()
	return {
		...room,
		read(schema: v.GenericSchema, value: unknown) {
			readings.set(schema, [...(readings.get(schema) ?? []), value])
			// What shares parts with a body must not be modified: whoever writes to this fails.
			return room.read(schema, deepFreeze(value))
		},
	}
})

function deepFreeze(value: unknown): unknown {
	if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
		for (const member of Object.values(Object.freeze(value))) deepFreeze(member)
	}
	return value
}

function expectAgreement(schema: v.GenericSchema, value: unknown): void {
	deepFreeze(value)
	const expected = readWithValibot(schema, value)
	expect(matches(schema, value)).toBe(!expected.issue)
	expect(outputOf(schema, value)).toStrictEqual(expected.issue ? undefined : expected.output)
	if (expected.issue) return
	const actual = read(schema, value)
	expect(actual).toStrictEqual(expected)
	if (!actual.issue) expect(orderOf(actual.output)).toBe(orderOf(expected.output))
}

/** A text that tells the order of keys, too. */
function orderOf(value: unknown): string {
	return JSON.stringify(value) ?? ''
}

const hasTwoMembers = <T>() =>
	v.check<T, string>((value) => typeof value !== 'object' || Object.keys(value ?? {}).length > 1, 'small')

const fixtures = adapters.map((factory) => {
	const all = readFixtures(new URL(`../../adapters/${factory.name}/fixtures/`, import.meta.url))
	return { factory, ...all }
})

/** Decodes what it can, and returns it. Schemas and values are recorded on the way. */
function attempt<T>(decode: () => T): T | undefined {
	try {
		return decode()
	} catch (thrown) {
		// Nobody writes to a frozen value.
		if (thrown instanceof TypeError) throw thrown
		return undefined
	}
}

test('on what the fixtures of every adapter say, also when mutated', () => {
	const events = fixtures.flatMap(({ factory, event, badEvent }) =>
		[...event, ...badEvent].map(({ wire, options = {} }) => ({ leg: factory.create(options).event, wire })),
	)
	const replies = fixtures.flatMap(({ factory, reply, badReply }) =>
		[...reply, ...badReply].flatMap(({ wire, event, options = {} }) => {
			const leg = factory.create(options).reply(event)
			return leg ? [{ leg, wire }] : []
		}),
	)
	readings.clear()
	for (const { leg, wire } of events) attempt(() => leg.decode(wire))
	for (const { leg, wire } of replies) attempt(() => leg.decode(wire))
	fc.assert(
		fc.property(fc.constantFrom(...events), fc.constantFrom(...replies), mutations, (event, reply, done) => {
			attempt(() => event.leg.decode(mutate(event.wire, done)))
			attempt(() => reply.leg.decode(mutate(reply.wire, done)))
		}),
		{ numRuns: 300 },
	)
	expect(readings.size).toBeGreaterThan(15)
	for (const [schema, values] of readings) {
		for (const value of values) expectAgreement(schema, value)
	}
})

test('on values near the schemas of adapters and of the model, and on any JSON', () => {
	for (const schema of [...readings.keys(), CanonicalEvent, CanonicalReply]) {
		const value = fc.oneof({ arbitrary: near(schema), weight: 9 }, jsonValues())
		fc.assert(
			fc.property(value, (value) => expectAgreement(schema, value)),
			{ numRuns: 20 },
		)
	}
})

const names = fc.constantFrom('a', 'b', 'type', '0', 'toString', 'x y')
const leaves: v.GenericSchema[] = [
	...[
		v.string(),
		v.number(),
		v.boolean(),
		v.unknown(),
		v.null(),
		v.any(),
		v.literal('a'),
		v.literal(1),
		v.literal(false),
	],
	...[
		v.picklist(['a', 'b', 'text']),
		v.custom((value) => value !== 'a'),
		v.strictTuple([]),
		v.date(),
		NonEmpty,
		WireText,
	],
	...[WireCount, WireFlag, WireNumber, WireOptionalText, WireAttributes, Json, Attributes, LimitedAttributes],
	v.pipe(v.string(), v.regex(/^[a-z]/), v.minLength(2), v.maxLength(3), v.transform(Number)),
	v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2), v.finite(), v.title('a number')),
	v.pipe(v.string(), v.isoTimestamp()),
	v.pipe(v.string(), v.length(2)),
	v.pipe(v.array(v.string()), v.length(1)),
]

/** Schemas of all that this project uses, and of some that it does not. */
const { schema: schemas } = fc.letrec<{ schema: v.GenericSchema; entries: { [key: string]: v.GenericSchema } }>(
	(tie) => {
		const schema = tie('schema')
		const entries = tie('entries')
		const defaults = fc.constantFrom<unknown>(undefined, null, 'a', 1, [], {}, ['a'], { a: 1 }, () => 'a')
		const branches = fc.array(schema, { minLength: 1, maxLength: 3 })
		const withDefault = (wrap: (wrapped: v.GenericSchema, given: unknown) => v.GenericSchema) =>
			fc.tuple(schema, defaults).map(([wrapped, given]) => wrap(wrapped, given))
		const typed = fc.tuple(fc.constantFrom('a', 'b', 'text'), entries, fc.nat(3)).map(([type, others, way]) => {
			const all = { ...others, type: v.literal(type) }
			if (way === 0) return v.strictObject(all)
			if (way === 1) return v.pipe(v.strictObject(all), hasTwoMembers())
			return way === 2 ? v.pipe(v.object(all), hasTwoMembers()) : v.object(all)
		})
		return {
			entries: fc.dictionary(names, schema, { maxKeys: 4, noNullPrototype: true }),
			schema: fc.oneof(
				{ maxDepth: 3, depthSize: 'small' },
				{ arbitrary: fc.constantFrom(...leaves), weight: 2 },
				withDefault((wrapped, given) => v.optional(wrapped, given)),
				withDefault((wrapped, given) => v.nullish(wrapped, given)),
				withDefault((wrapped, given) => v.nullable(wrapped, given)),
				withDefault((wrapped, given) => v.fallback(wrapped, given)),
				schema.map((wrapped) => v.exactOptional(wrapped)),
				entries.map((each) => v.object(each)),
				entries.map((each) => v.strictObject(each)),
				entries.map((each) => v.looseObject(each)),
				fc.tuple(entries, schema).map(([each, rest]) => v.objectWithRest(each, rest)),
				schema.map((item) => v.array(item)),
				schema.map((item) => nonEmptyArray(item)),
				schema.map((item) => wireList(item)),
				schema.map((object) => wireObject(object)),
				schema.map((value) => v.record(v.string(), value)),
				schema.map((value) => v.record(v.picklist(['a', '0']), value)),
				schema.map((inner) => v.lazy((value) => (typeof value === 'string' ? v.string() : inner))),
				branches.map((options) => v.union(options)),
				fc.array(typed, { minLength: 1, maxLength: 4 }).map((options) => v.variant('type', options)),
				schema.map((first) => v.pipe(first, hasTwoMembers())),
				schema.map((first) =>
					v.pipe(
						first,
						v.transform((made) => ({ made })),
					),
				),
				fc.tuple(schema, schema).map(([first, second]) => v.pipe(first, second)),
			),
		}
	},
)

test('on random schemas', () => {
	const sample = schemas.chain((schema) =>
		fc.array(near(schema), { minLength: 4, maxLength: 4 }).map((values) => ({ schema, values })),
	)
	fc.assert(
		fc.property(sample, ({ schema, values }) => {
			for (const value of values) expectAgreement(schema, value)
		}),
		{ numRuns: 700 },
	)
})

test('no two values share the default of an absent one', () => {
	const list = v.optional(v.array(v.string()), [])
	const schema = v.object({
		list,
		empty: v.optional(v.object({}), {}),
		object: v.optional(v.object({ list }), {}),
		full: v.optional(v.array(v.string()), ['a']),
	})
	const [one, other] = [read(schema, {}), read(schema, {})]
	if (one.issue || other.issue) throw new Error('refused')
	expect(one.output).toEqual({ list: [], empty: {}, object: { list: [] }, full: ['a'] })
	for (const [key, entry] of Object.entries(schema.entries)) {
		const [made, again] = [one, other].map(({ output }) => Reflect.get(output, key))
		expect(made, key).not.toBe(again)
		expect(made, key).not.toBe(entry.default)
	}
})

test('nobody writes to what a decoded value shares with its body', () => {
	const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }
	const others = adapters.map(({ examples: [options], create }) => create(options))
	for (const { factory, event, reply } of fixtures) {
		for (const { wire, options = {} } of event) {
			const { model } = factory.create(options).event.decode(wire)
			for (const { event: leg } of others) leg.encode(fitEvent(model, leg, context).value)
		}
		for (const { wire, options = {}, event } of reply) {
			const model = factory.create(options).reply(event)?.decode(wire).model
			for (const other of others) {
				const leg = other.reply(event)
				if (leg && model) leg.encode(fitReply(model, leg, context).value)
			}
		}
	}
})
