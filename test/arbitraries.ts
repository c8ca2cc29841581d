/** Random canonical values: every field of the model, and texts, keys and natives that formats may trip over. */
import fc from 'fast-check'
import type { Leg } from '../src/format/index.ts'
import { type Attributes, CanonicalEvent, CanonicalReply, type Json, reservedKeys } from '../src/model/index.ts'
import { arbitraryOf, type Sources } from './arbitrary-of-schema.ts'
import { huge, ids, keys, phones, texts, urls } from './hostile.ts'

/** What is particular to the format under test. */
export interface Hints {
	/** Words to which it gives a meaning, such as the field names in its options. */
	readonly words?: readonly string[]
	/** The format's name, and the schemas of what it alone says, as its legs have them. */
	readonly name?: string
	readonly natives?: readonly NonNullable<Leg<unknown, unknown>['native']>[]
}

/** Any JSON value, up to four levels deep. */
export function jsonValues(words: readonly string[] = []): fc.Arbitrary<Json> {
	const scalar: fc.Arbitrary<Json> = fc.oneof(
		{ arbitrary: texts(words), weight: 8 },
		{ arbitrary: fc.constantFrom('', null, true, false, 0, 1), weight: 3 },
		{ arbitrary: fc.integer().map(String), weight: 1 },
		{
			arbitrary: fc.oneof(fc.integer(), fc.maxSafeInteger(), doubles),
			weight: 1,
		},
	)
	const { json } = fc.letrec<{ json: Json }>((tie) => ({
		json: fc.oneof(
			{ maxDepth: 3, withCrossShrink: true },
			{ arbitrary: scalar, weight: 9 },
			{ arbitrary: fc.array(tie('json'), { maxLength: 3 }), weight: 1 },
			{ arbitrary: fc.dictionary(names(words), tie('json'), { maxKeys: 3, noNullPrototype: true }), weight: 1 },
		),
	}))
	return json
}

/** Without minus zero, which JSON.stringify writes as zero. */
const doubles = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

function names(words: readonly string[]): fc.Arbitrary<string> {
	return keys(words).filter((key) => !reservedKeys.has(key))
}

/** Author-named values. */
function attributes(words: readonly string[] = []): fc.Arbitrary<Attributes> {
	return fc.dictionary(names(words), jsonValues(words), { maxKeys: 5, noNullPrototype: true })
}

function sources(hints: Hints): Sources {
	const words = hints.words ?? []
	const text = texts(words)
	const byName: { readonly [name: string]: fc.Arbitrary<unknown> } = {
		url: urls,
		imageUrl: urls,
		number: phones,
		phone: fc.oneof(phones, text),
		id: fc.oneof(ids, text),
		externalId: fc.oneof(ids, text),
		conversation: fc.oneof(ids, text),
		target: fc.oneof(ids, text),
		goto: fc.oneof(ids, text),
		occurredAt: timestamps,
		language: fc.oneof(fc.constantFrom('en', 'de-AT', 'zh-Hant-TW', 'EN', 'tlh'), text),
		extensions: natives(hints),
		overrides: natives(hints),
		text: fc.oneof({ arbitrary: text, weight: 80 }, { arbitrary: huge, weight: 1 }),
	}
	return {
		text,
		json: jsonValues(words),
		attributes: attributes(words),
		member: (name) => (Object.hasOwn(byName, name) ? byName[name] : undefined),
	}
}

const timestamps = fc.oneof(
	fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
	fc.constantFrom('2026-01-02T03:04:05Z', '2026-01-02T03:04:05.6+02:00', '2026-01-02T03:04:05.123456Z'),
)

/** What the format alone says, right and wrong, beside what is addressed to others. */
function natives({
	words = [],
	name = 'none',
	natives = [],
}: Hints): fc.Arbitrary<{ readonly [adapter: string]: Json }> {
	const json = jsonValues(words)
	const own = natives.map((native) =>
		arbitraryOf(native.schema, { text: fc.oneof(texts(words), fc.constant('')), json, attributes: attributes(words) }),
	)
	return fc
		.record({
			own: fc.oneof(
				{ arbitrary: fc.constant(undefined), weight: 2 },
				{ arbitrary: json, weight: 1 },
				...own.map((arbitrary) => ({ arbitrary, weight: 4 })),
			),
			foreign: fc.option(json, { nil: undefined, freq: 3 }),
		})
		.map(({ own, foreign }) => ({
			...(own === undefined ? {} : { [name]: own }),
			...(foreign === undefined ? {} : { 'another-format': foreign }),
		}))
}

/** Canonical events. */
export function canonicalEvents(hints: Hints = {}): fc.Arbitrary<CanonicalEvent> {
	return arbitraryOf(CanonicalEvent, sources(hints))
}

/** Canonical replies. One in five does little but offer choices, many of which are alike. */
export function canonicalReplies(hints: Hints = {}): fc.Arbitrary<CanonicalReply> {
	const any: fc.Arbitrary<CanonicalReply> = arbitraryOf(CanonicalReply, sources(hints))
	return fc.oneof({ arbitrary: any, weight: 4 }, { arbitrary: offeringReplies, weight: 1 })
}

const fewTitles = fc.constantFrom(
	...['Order', 'order ', 'Order (2)', 'Yes', 'ＹＥＳ', 'No', '1', '2', '…'],
	...['A label that is cut, first', 'A label that is cut, second', 'A label that is cut, second'],
)
const fewValues = fc.constantFrom('order-1', 'order-2', 'yes', 'no', '1', '2', 'Order', 'v'.repeat(2001))
const fewWords = fc.constantFrom('Diavola', 'Funghi', 'Delete it?', 'Order', 'Pick one:', `${'word '.repeat(20)}end`)
const plainObjects = { noNullPrototype: true } as const
const choice = fc.record({ title: fewTitles, value: fewValues }, plainObjects)
const postback = fc.record({ type: fc.constant('postback' as const), title: fewTitles, value: fewValues }, plainObjects)
const link = fc.record(
	{ type: fc.constant('link' as const), title: fewTitles, url: fc.constant('https://a.example') },
	plainObjects,
)
const buttons = fc.array(fc.oneof({ arbitrary: postback, weight: 4 }, link), { minLength: 1, maxLength: 4 })
const picture = fc.constant('https://a.example/i.png')
const card = fc.record(
	{ title: fewWords, subtitle: fewWords, imageUrl: picture, buttons },
	{ ...plainObjects, requiredKeys: ['title', 'buttons'] },
)
const set = { type: fc.constant('choices' as const), text: fewWords }
const offering = fc.oneof(
	fc.record(
		{ ...set, choices: fc.array(choice, { minLength: 1, maxLength: 5 }) },
		{ ...plainObjects, requiredKeys: ['type', 'choices'] },
	),
	fc.record(
		{ type: fc.constant('text' as const), text: fewWords, buttons },
		{ ...plainObjects, requiredKeys: ['type', 'text'] },
	),
	fc.record(
		{ type: fc.constant('cards' as const), cards: fc.array(card, { minLength: 1, maxLength: 4 }) },
		plainObjects,
	),
)

/** Replies that offer choices with few titles, values and owners. */
const offeringReplies: fc.Arbitrary<CanonicalReply> = fc
	.array(offering, { minLength: 1, maxLength: 4 })
	.map((messages) => ({ messages, attributes: { session: {}, user: {} } }))

/** What is particular to a format with these legs and options: few of its natives, since each dialect may have its own. */
export function hintsOf(name: string, options: unknown, legs: readonly Pick<Leg<never, unknown>, 'native'>[]): Hints {
	const bySchema = new Map(legs.flatMap(({ native }) => (native ? [[native.schema, native] as const] : [])))
	return { name, words: [...new Set(wordsOf(options))], natives: [...bySchema.values()].slice(0, 4) }
}

/** Every string in a JSON-like value: the words of an adapter's options. */
function wordsOf(value: unknown): string[] {
	if (typeof value === 'string') return [value]
	if (typeof value !== 'object' || value === null) return []
	return Object.entries(value).flatMap(([key, member]) => [...(Array.isArray(value) ? [] : [key]), ...wordsOf(member)])
}
