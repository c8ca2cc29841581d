/** Decoding, fitting and encoding take time in proportion to the size of what they are given, in every format. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import {
	type Adapter,
	type AdapterFactory,
	GatewayError,
	type WireRequest,
	type WireResponse,
} from '../src/format/index.ts'
import type { Attributes, Button, CanonicalEvent, CanonicalReply, Card, Json, Message } from '../src/model/index.ts'
import { timeOf } from './harness/event-loop.ts'

/** Shapes drawn for each leg of each format. */
const numRuns = Number(process.env.LINEAR_RUNS) || 3

/** How many times larger the large one of two values is. */
const times = 16
/** Its time in proportion is `times`; by the square it is 256. As far from both, so that a busy machine does not fail a test. */
const tolerated = 64

/** Expects that `times` the size takes about `times` as long. Measures again if it took longer, which may have been a coincidence. */
function expectLinear(act: (size: number) => void, size: number): void {
	const ratios: number[] = []
	// Until it is compiled, code takes many times as long.
	act(times * size)
	timeOf(() => act(size))
	for (let attempt = 0; attempt < 3; attempt++) {
		const ratio = timeOf(() => act(times * size)) / timeOf(() => act(size))
		if (ratio <= tolerated) return
		ratios.push(Math.round(ratio))
	}
	expect(ratios, `${times} times the size takes this many times as long`).toEqual([])
}

/** Text of a unit that is repeated to a length. */
type Words = (length: number) => string

const units = [
	...['a', 'word ', 'two\n', '\n\n', '\r\n', ' ', '\t', '. ', '…', '12', '(1)', 'Aaaaaaaaaaaaaaaaaaaaa'],
	...['\u0301', '\u0316', '\u0345', '\u093c\u094d', '\u0e33', '\u20dd', 'e\u0301\u0323', '\u0fb2\u0f71'],
	...['👩\u200d', '👩‍👩‍👧', '👍🏽', '🇩🇪', '🇦', '\u1100\u1161\u11a8', '\u1100', '한', '\ud83d', '\ude00', '\ufe0f'],
	...['אב', 'مر', '\u202e', '\u200b', '\u2060', 'İ', 'ß', 'ﬃ', '你好', '\u0000', '\u0001', '\u2028', '\ufffd'],
	...[
		'<b>',
		'&amp;',
		'*',
		'_a_',
		'[a](b)',
		'\\',
		'"',
		'$' + '{a}',
		'{{',
		'}}',
		'{',
		'[',
		'::next',
		'::',
		'\\agent',
		'%7B',
		'%',
	],
	...['https://a.example/b?c=d ', 'http://', '?', '=', '&', '\n* ', '- ', 'tdImage:', '__proto__', 'constructor '],
]

const words: fc.Arbitrary<Words> = fc
	.tuple(
		fc.array(fc.constantFrom(...units), { minLength: 1, maxLength: 3 }),
		fc.constantFrom('', 'a', 'A long beginning that is alike '),
		fc.constantFrom('', 'z'),
	)
	.map(([repeated, before, behind]) => (length) => {
		const unit = repeated.join('')
		return before + unit.repeat(Math.ceil(Math.max(1, length) / unit.length)) + behind
	})

const bare: CanonicalEvent = {
	...{ kind: 'message', id: 'i', text: 'Hi', conversation: 'c', attributes: {} },
	user: { id: 'u', attributes: {} },
}

/** Lengths at which a label differs from others just before or behind where some format shortens it. */
const lengths = [...new Set(adapters.flatMap(charsOf).flatMap((chars) => [chars - 5, chars - 4, chars, chars + 1]))]

/** The lengths to which an adapter's replies shorten labels. */
function charsOf({ examples, create }: AdapterFactory): number[] {
	const carries = examples.flatMap((options) => create(options).reply(bare)?.carries ?? [])
	return carries.flatMap((limits) =>
		[limits['reply.choice.title']?.chars ?? [], limits['reply.button.title']?.chars ?? []].flat(),
	)
}

/** The label of each of many. Most are alike, at least in what is left of them when they are shortened. */
const labels = fc
	.record({
		text: words,
		length: fc.constantFrom(1, ...lengths, 100),
		/** How many have the same number; zero: none has a number. */
		same: fc.constantFrom(0, 1, 2, 2, 2, 5),
		behind: fc.constantFrom('', ' and so on, for longer than labels are'),
	})
	.map(({ text, length, same, behind }) => (i: number): string => {
		const number = same === 0 ? '' : String(Math.floor(i / same)).padStart(4, '0')
		return text(length).slice(0, length) + number + behind
	})

/** A value of the model by its size. */
type Sized<T> = (size: number) => T

const many = <T>(size: number, one: (i: number) => T): T[] => Array.from({ length: size }, (_, i) => one(i))

const json: fc.Arbitrary<(i: number) => Json> = fc.oneof(
	words.map((text) => () => text(20)),
	fc.constantFrom<Json>(null, true, 0, '', [], {}, { a: 1 }, [1, ['b']], '1').map((value) => () => value),
	labels.map((label) => (i: number) => ({ [label(i)]: i })),
)

const attributes: fc.Arbitrary<Sized<Attributes>> = fc.oneof(
	fc.tuple(labels, json).map(
		([label, value]) =>
			(size: number) =>
				Object.fromEntries(many(size, (i) => [`${label(i)}${i}`, value(i)])),
	),
	words.map((text) => (size: number) => ({ a: text(50 * size) })),
	json.map((value) => (size: number) => ({ a: many(size, value) })),
)

const button = fc
	.tuple(labels, words, fc.constantFrom('postback', 'link', 'webview', 'phone', 'goto'))
	.map(([label, text, type]) => (i: number): Button => {
		const title = label(i)
		switch (type) {
			case 'link':
			case 'webview':
				return { type, title, url: `https://a.example/${text(20)}` }
			case 'phone':
				return { type, title, number: `+4917012345${i % 100}` }
			case 'goto':
				return { type, title, target: text(10) }
			default:
				return { type: 'postback', title, value: text(10) + i }
		}
	})

const card = fc.tuple(labels, fc.option(button), fc.boolean(), fc.option(words)).map(
	([label, press, pictured, text]) =>
		(i: number): Card => ({
			title: label(i),
			...(text && { subtitle: text(50) }),
			...(pictured && { imageUrl: 'https://a.example/b.png' }),
			...(press && { buttons: many(3, press) }),
		}),
)

const messages: fc.Arbitrary<Sized<Message[]>> = fc.oneof(
	words.map((text) => (size: number): Message[] => [{ type: 'text', text: text(200 * size) }]),
	words.map(
		(text) =>
			(size: number): Message[] =>
				many(size, () => ({ type: 'text', text: text(40), delay: 5 })),
	),
	words.map((text) => (size: number): Message[] => [
		{ type: 'text', text: text(9), alternatives: many(size, (i) => `${i}${text(30)}`) },
	]),
	{
		weight: 3,
		arbitrary: fc.tuple(words, button).map(([text, one]) => (size: number): Message[] => [
			{ type: 'text', text: text(10 * size), buttons: many(size, one) },
		]),
	},
	{
		weight: 3,
		arbitrary: fc.tuple(words, labels).map(([text, label]) => (size: number): Message[] => [
			{ type: 'choices', text: text(10 * size), choices: many(size, (i) => ({ title: label(i), value: `v${i}` })) },
		]),
	},
	labels.map(
		(label) =>
			(size: number): Message[] =>
				many(size, (i) => ({ type: 'choices', choices: [{ title: label(i), value: label(i) }] })),
	),
	card.map((one) => (size: number): Message[] => [{ type: 'cards', cards: many(size, one) }]),
	card.map(
		(one) =>
			(size: number): Message[] =>
				many(size, (i) => ({ type: 'cards', cards: [one(i)] })),
	),
	fc.tuple(words, fc.constantFrom('image', 'video', 'audio', 'file'), fc.boolean()).map(
		([text, type, spare]) =>
			(size: number): Message[] =>
				many(size, () => ({
					...{ type, url: `https://a.example/${text(40)}` },
					...(type === 'image' ? { alt: text(40) } : { name: text(40), mimeType: text(10) }),
					...(spare && { instead: text(40) }),
				})),
	),
)

const nothing: CanonicalReply = { messages: [], attributes: { session: {}, user: {} } }

const replies = (name: string): fc.Arbitrary<Sized<CanonicalReply>> =>
	fc.oneof(
		{ weight: 4, arbitrary: messages.map((make) => (size: number) => ({ ...nothing, messages: make(size) })) },
		attributes.map((make) => (size: number) => ({ ...nothing, attributes: { session: make(size), user: make(size) } })),
		labels.map((label) => (size: number) => ({
			...nothing,
			control: { tags: many(size, label), participants: { add: many(size, label), remove: many(size, label) } },
		})),
		fc.tuple(json, fc.constantFrom('responses', 'cards', 'actions')).map(([item, list]) => (size: number) => ({
			...nothing,
			overrides: { [name]: { [list]: many(size, (i) => ({ type: 'own', _tdActionType: 'own', value: item(i) })) } },
		})),
	)

const events = (name: string): fc.Arbitrary<Sized<CanonicalEvent>> =>
	fc.oneof(
		words.map((text) => (size: number) => ({ ...bare, text: text(200 * size) })),
		words.map((text) => (size: number) => ({
			...bare,
			kind: 'choice',
			choice: { value: text(100 * size), label: text(50) },
		})),
		words.map((text) => (size: number) => ({
			...{ ...bare, id: text(50 * size), channel: text(50 * size), language: text(50 * size) },
			...{ conversation: text(50 * size), user: { id: text(50 * size), name: text(50 * size), attributes: {} } },
		})),
		attributes.map((make) => (size: number) => ({
			...bare,
			attributes: make(size),
			user: { id: 'u', attributes: make(size) },
		})),
		attributes.map((make) => (size: number) => ({ ...bare, trigger: { kind: 'intent', parameters: make(size) } })),
		fc.tuple(labels, attributes).map(([label, make]) => (size: number) => ({
			...bare,
			contexts: many(size, (i) => ({ id: `${i}`, name: label(i), parameters: make(2) })),
		})),
		words.map((text) => (size: number) => ({
			...bare,
			media: many(size, () => ({
				kind: 'file',
				url: `https://a.example/${text(40)}`,
				name: text(40),
				mimeType: text(20),
			})),
		})),
		messages.map((make) => (size: number) => ({ ...bare, defaultReply: make(size) })),
		attributes.map((make) => (size: number) => ({ ...bare, extensions: { [name]: make(size) } })),
	) as fc.Arbitrary<Sized<CanonicalEvent>>

const context = { turnId: 'turn', receivedAt: '2026-01-02T03:04:05.000Z', remembers: true }

/** Does what it can: a refusal is as good as a result. */
function attempt(act: () => void): void {
	try {
		act()
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
	}
}

/** Where a body can grow: the places of its lists and objects. */
function placesIn(value: unknown, at: readonly (string | number)[] = []): (readonly (string | number)[])[] {
	if (typeof value !== 'object' || value === null) return []
	return [
		at,
		...Object.entries(value).flatMap(([key, member]) =>
			placesIn(member, [...at, Array.isArray(value) ? Number(key) : key]),
		),
	]
}

/** The value with more in one of its lists or objects: the same items again, or new members. */
function grown(
	value: unknown,
	place: readonly (string | number)[],
	size: number,
	one: (i: number) => [string, Json],
): unknown {
	const [key, ...rest] = place
	if (key !== undefined && typeof value === 'object' && value !== null) {
		if (Array.isArray(value)) return value.map((item, i) => (i === key ? grown(item, rest, size, one) : item))
		return { ...value, [key]: grown(Reflect.get(value, key), rest, size, one) }
	}
	if (Array.isArray(value)) return many(size, (i) => value[i % Math.max(1, value.length)] ?? one(i)[1])
	return typeof value === 'object' && value !== null ? { ...value, ...Object.fromEntries(many(size, one)) } : value
}

/** Bodies that grow in one place of a sample. */
function bodies(sample: string): fc.Arbitrary<Sized<string>> {
	const fields = fc.tuple(labels, json).map(
		([label, value]) =>
			(size: number) =>
				`${sample}&${new URLSearchParams(many(size, (i) => [label(i), JSON.stringify(value(i))]))}`,
	)
	if (!sample.startsWith('{')) return fields
	const body: unknown = JSON.parse(sample)
	return fc
		.tuple(fc.constantFrom(...placesIn(body)), labels, json, fc.constantFrom('', '1e999', '-0', '12345678901234567890'))
		.map(([place, label, value, number]) => (size: number) => {
			const text = JSON.stringify(
				grown(body, place, size, (i) => [`${label(i)}${i}`, number ? `<${number}>` : value(i)]),
			)
			return number ? text.replaceAll(`"<${number}>"`, number) : text
		})
}

const formats = adapters.flatMap(({ name, examples, create }) =>
	examples.map((options, i) => ({ name: i === 0 ? name : `${name} (${i + 1})`, key: name, adapter: create(options) })),
)

const parameters = { numRuns, endOnFailure: true } as const
const timeout = 60_000 + numRuns * 4000

/** Elements of the small one of two values. */
const elements = 50
/** Members and items that are added to the small one of two bodies: with `times` as many it has nearly as many as a body may have. */
const members = 300

const richMessages: Message[] = [
	{ type: 'text', text: 'Hi' },
	{ type: 'text', text: 'Hm', buttons: [{ type: 'link', title: 'a', url: 'https://a.example/' }] },
	{ type: 'image', url: 'https://a.example/b.png' },
	{ type: 'cards', cards: [{ title: 'a', subtitle: 'b', imageUrl: 'https://a.example/b.png' }] },
	{ type: 'choices', text: 'Which?', choices: [{ title: 'a', value: 'b' }] },
]

describe.each(formats)('$name', ({ key, adapter }) => {
	test('fits, encodes and decodes events in linear time', { timeout }, () => {
		const leg = adapter.event
		fc.assert(
			fc.property(events(key), (make) => {
				expectLinear(
					(size) => attempt(() => void leg.decode(leg.encode(fitEvent(make(size), leg, context).value))),
					elements,
				)
			}),
			parameters,
		)
	})

	test('decodes calls in linear time', { timeout }, () => {
		const sample = sampleCall(adapter)
		fc.assert(
			fc.property(bodies(sample.body), (make) => {
				const sized = prepared((size) => ({ ...sample, body: make(size) }))
				expectLinear((size) => attempt(() => void adapter.event.decode({ ...sized(size) })), members)
			}),
			parameters,
		)
	})

	const leg = adapter.reply(bare)
	if (!leg) return

	test('fits, encodes and decodes replies in linear time', { timeout }, () => {
		fc.assert(
			fc.property(replies(key), (make) => {
				expectLinear(
					(size) => attempt(() => void leg.decode(leg.encode(fitReply(make(size), leg, context).value))),
					elements,
				)
			}),
			parameters,
		)
	})

	test('tells alike choices and buttons apart in linear time', { timeout }, () => {
		const lists = fc.tuple(fc.constantFrom(...units), fc.constantFrom(...lengths), fc.boolean())
		fc.assert(
			fc.property(lists, ([unit, length, pressed]) => {
				const title = (i: number) =>
					`${unit.repeat(length).slice(0, length)}${String(i >> 1).padStart(4, '0')} and so on, for longer than labels are`
				const make = (size: number): Message[] => [
					pressed
						? {
								type: 'text',
								text: 'Which?',
								buttons: many(size, (i) => ({ type: 'postback', title: title(i), value: 'v' })),
							}
						: { type: 'choices', text: 'Which?', choices: many(size, (i) => ({ title: title(i), value: 'v' })) },
				]
				expectLinear((size) => void fitReply({ ...nothing, messages: make(size) }, leg, context), 4 * elements)
			}),
			{ ...parameters, numRuns: 2 },
		)
	})

	test('decodes answers in linear time', { timeout }, () => {
		const reply = {
			messages: richMessages,
			attributes: { session: { a: '1' }, user: { b: '2' } },
			control: { close: true },
		} as const
		const sample = leg.encode(fitReply(reply, leg, context).value)
		fc.assert(
			fc.property(bodies(sample.body), (make) => {
				const sized = prepared((size) => ({ ...sample, body: make(size) }))
				expectLinear((size) => attempt(() => void leg.decode({ ...sized(size) })), members)
			}),
			parameters,
		)
	})
})

/** A call with a bit of everything that the format carries. */
function sampleCall({ event: leg }: Adapter): WireRequest {
	const full: CanonicalEvent = {
		...bare,
		attributes: { a: '1', b: { c: ['2'] } },
		user: { id: 'u', attributes: { d: '3' } },
		trigger: { kind: 'intent', id: '1', parameters: { e: '4' } },
		contexts: [{ id: '1', name: 'f', parameters: { g: '5' } }],
		media: [{ kind: 'image', url: 'https://a.example/b.png' }],
		defaultReply: [{ type: 'text', text: 'Hm' }],
	}
	return leg.encode(fitEvent(full, leg, context).value)
}

/** Makes each value once, so that only what is done with it is measured. */
function prepared<T extends WireRequest | WireResponse>(make: Sized<T>): Sized<T> {
	const made = new Map<number, T>()
	return (size) => {
		const known = made.get(size) ?? make(size)
		made.set(size, known)
		return known
	}
}
