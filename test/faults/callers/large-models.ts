/** Events and replies that are large in each of their parts. */
import type {
	Attributes,
	Button,
	CanonicalEvent,
	CanonicalReply,
	Card,
	Choice,
	Message,
} from '../../../src/model/index.ts'
import type { Extent, Shapes } from './large-cases.ts'

/** Marks of two classes, which normalization has to bring into order, on one letter. */
const marks = (size: number) => `a${'\u0301'.repeat(size / 4)}${'\u0316'.repeat(size / 4)}`

/** A number of four digits at least. */
const code = (i: number) => i.toString(36).padStart(4, '0')

/** As many elements as the extent has; each is given its part of the padding. */
function list<T>({ count, size }: Extent, one: (pad: string, i: number) => T): T[] {
	const length = Math.max(1, Math.floor(count))
	const pad = 'x'.repeat(Math.max(1, size / length - 50))
	return Array.from({ length }, (_, i) => one(pad, i))
}

/** A part of the extent. */
const part = ({ count, size }: Extent, of: number): Extent => ({ count: count / of, size: size / of })

/** The shapes as parts of something larger. */
function inside<A, B>(shapes: Shapes<A>, wrap: (part: A) => B, prefix = ''): Shapes<B> {
	return Object.fromEntries(
		Object.entries(shapes).map(([what, make]) => [prefix + what, (extent: Extent) => wrap(make(extent))]),
	)
}

const repeated =
	(unit: string) =>
	({ size }: Extent) =>
		unit.repeat(size / Buffer.byteLength(unit))

const texts: Shapes<string> = {
	'one letter': repeated('x'),
	words: repeated('word '),
	lines: repeated('a\n'),
	blanks: ({ size }) => `a${' '.repeat(size - 2)}b`,
	'combining marks': ({ size }) => marks(size),
	'vowel signs': ({ size }) => `क${'\u093c\u094d'.repeat(size / 6)}`,
	joiners: repeated('👩\u200d'),
	flags: repeated('🇩🇪'),
	'Hangul parts': repeated('\u1100\u1161\u11a8'),
	'half letters': repeated('\ud83d'),
	markup: repeated('<b>&*_`~[a](b)'),
	'opening brackets': repeated('<[(*'),
	addresses: repeated('https://a.example/b?c=d '),
	digits: repeated('1'),
	quotes: repeated('"\\'),
	'words of two directions': repeated('אבג abc \u202e'),
	'capital letters with dots': repeated('İ'),
}

const named = (extent: Extent): Attributes => Object.fromEntries(list(extent, (pad, i) => [code(i), pad]))

const attributes: Shapes<Attributes> = {
	attributes: named,
	'attributes of numbers': (extent) => Object.fromEntries(list(extent, (_, i) => [code(i), i])),
	'attributes of long names': (extent) => Object.fromEntries(list(extent, (pad, i) => [`${i} ${pad}`, 1])),
	'attributes of accented names': (extent) => Object.fromEntries(list(extent, (pad, i) => [`é ${i} ${pad}`, true])),
	'attributes of objects': (extent) => Object.fromEntries(list(extent, (pad, i) => [code(i), { a: pad }])),
	'attributes of null': (extent) => Object.fromEntries(list(extent, (pad, i) => [`${i}${pad}`, null])),
	'attributes that spell other keys': (extent) =>
		Object.fromEntries(list(extent, (pad, i) => [`constructor${i}`, pad])),
	'texts of an attribute': (extent) => ({ a: list(extent, (pad, i) => `${i}${pad}`) }),
	'long text of an attribute': ({ size }) => ({ a: 'x'.repeat(size) }),
	'emoji of an attribute': ({ size }) => ({ a: '😀'.repeat(size / 4) }),
	'control characters of an attribute': ({ size }) => ({ a: '\u0001'.repeat(size / 6) }),
}

const choices: Shapes<Choice[]> = {
	choices: (extent) => list(extent, (pad, i) => ({ title: `${i}${pad}`, value: 'v' })),
	'choices of long values': (extent) => list(extent, (pad, i) => ({ title: `${i}`, value: `${i}${pad}` })),
	'choices that are alike': (extent) => list(extent, (pad) => ({ title: `a${pad}`, value: 'v' })),
	// Shortened, the labels of a pair are the same, and those of all pairs have the same stem.
	'pairs of choices that are alike': (extent) =>
		list(extent, (pad, i) => ({ title: `${'A'.repeat(15)}${code(i >> 1)}zz${pad}`, value: `v${i}` })),
	'choices of combining marks': (extent) =>
		list(extent, (pad, i) => ({ title: `${i}${marks(pad.length)}`, value: 'v' })),
	'choices that jump': (extent) => list(extent, (pad, i) => ({ title: `${i}${pad}`, target: code(i) })),
}

const buttons: Shapes<Button[]> = {
	'buttons that answer': (extent) =>
		list(extent, (pad, i) => ({ type: 'postback', title: `${i}`, value: `${i}${pad}` })),
	'buttons that are alike': (extent) =>
		list(extent, (pad, i) => ({ type: 'postback', title: `${'A'.repeat(15)}${code(i >> 1)}${pad}`, value: `v${i}` })),
	links: (extent) => list(extent, (pad, i) => ({ type: 'link', title: `${i}`, url: `https://a.example/${pad}` })),
	pages: (extent) => list(extent, (pad, i) => ({ type: 'webview', title: `${i}${pad}`, url: 'https://a.example/' })),
	telephones: (extent) => list(extent, (pad, i) => ({ type: 'phone', title: `${i}${pad}`, number: '+491701234567' })),
	jumps: (extent) => list(extent, (pad, i) => ({ type: 'goto', title: `${i}`, target: `${i}${pad}` })),
}

const cards: Shapes<Card[]> = {
	cards: (extent) => list(extent, (pad, i) => ({ title: `${i}`, subtitle: pad })),
	'cards of images': (extent) =>
		list(extent, (pad, i) => ({ title: `${i}`, imageUrl: `https://a.example/${pad}`, url: 'https://a.example/' })),
	'cards of a button': (extent) =>
		list(extent, (pad, i) => ({ title: `${i}`, buttons: [{ type: 'postback', title: pad, value: `${i}` }] })),
	...inside(buttons, (buttons) => [{ title: 'a', buttons }], 'one card of '),
}

/** Groups of about fifty. */
const groups = ({ count, size }: Extent): [Extent, Extent] => [
	{ count: count / 50, size },
	{ count: 50, size: (50 * size) / count },
]

const messages: Shapes<Message[]> = {
	...inside(texts, (text) => [{ type: 'text', text }], 'text of '),
	texts: (extent) => list(extent, (pad) => ({ type: 'text', text: pad })),
	'texts of markup': (extent) => list(extent, (pad) => ({ type: 'text', text: `<b>&*_[](${pad}` })),
	'alternatives of a text': (extent) => [
		{ type: 'text', text: 'a', alternatives: list(extent, (pad, i) => `${i}${pad}`) },
	],
	images: (extent) => list(extent, (pad) => ({ type: 'image', url: `https://a.example/${pad}`, alt: pad })),
	'files with blanks in their addresses': (extent) =>
		list(extent, (pad) => ({ type: 'file', url: `https://a.example/ ${pad.replaceAll('x', ' ')}b` })),
	'videos with a text instead': (extent) =>
		list(extent, (pad) => ({ type: 'video', url: 'https://a.example/v', instead: pad, delay: 5 })),
	...inside(choices, (choices) => [{ type: 'choices', text: 'Which?', choices }]),
	'sets of a choice': (extent) =>
		list(extent, (pad, i) => ({ type: 'choices', text: pad, choices: [{ title: `${i}`, value: 'v' }] })),
	'choices in sets': (extent) => {
		const [sets, each] = groups(extent)
		return list(sets, () => ({ type: 'choices', choices: list(each, (pad, i) => ({ title: `${i}`, value: pad })) }))
	},
	...inside(buttons, (buttons) => [{ type: 'text', text: 'Which?', buttons }]),
	'buttons in texts': (extent) => {
		const [texts, each] = groups(extent)
		return list(texts, () => ({
			...{ type: 'text', text: 'Which?' },
			buttons: list(each, (pad, i) => ({ type: 'postback', title: `${i}`, value: pad })),
		}))
	},
	...inside(cards, (cards) => [{ type: 'cards', cards }]),
	'sets of a card': (extent) => list(extent, (pad) => ({ type: 'cards', cards: [{ title: 'a', subtitle: pad }] })),
	'buttons of cards in sets': (extent) => {
		const [sets, each] = groups(extent)
		return list(sets, () => ({
			type: 'cards',
			cards: [
				{
					title: 'a',
					buttons: list(each, (pad, i) => ({ type: 'link', title: `${i}`, url: `https://a.example/${pad}` })),
				},
			],
		}))
	},
}

const formats = ['canonical', 'chatbot-v1', 'chatbot-v2', 'botdistrikt', 'snatchbot-json-api', 'pingstreams']

/** Large parts of an event. */
export const largeEvents: Shapes<Partial<CanonicalEvent>> = {
	...inside(texts, (text) => ({ text }), 'text of '),
	...inside(attributes, (attributes) => ({ attributes })),
	...inside(messages, (defaultReply) => ({ defaultReply }), 'default reply of '),
	'attributes of the user': (extent) => ({ user: { id: 'u1', attributes: named(extent) } }),
	'parameters of a trigger': (extent) => ({ trigger: { kind: 'story', parameters: named(extent) } }),
	contexts: (extent) => ({ contexts: list(extent, (pad, i) => ({ name: `${i}`, parameters: { a: pad } })) }),
	'images of the user': (extent) => ({
		media: list(extent, (pad) => ({ kind: 'image', url: `https://a.example/${pad}` })),
	}),
	'extensions of each format': (extent) => ({
		extensions: Object.fromEntries(formats.map((name) => [name, named(part(extent, formats.length))])),
	}),
	'long names': ({ size }) => ({
		user: { id: 'u'.repeat(size / 3), name: 'ü'.repeat(size / 6), attributes: {} },
		conversation: 'c'.repeat(size / 3),
	}),
	'choice of combining marks': ({ size }) => ({
		...{ kind: 'choice', choice: { value: marks(size / 2), label: marks(size / 2) } },
	}),
}

const reply = (more: Partial<CanonicalReply>): CanonicalReply => ({
	...{ messages: [{ type: 'text', text: 'Hi' }], attributes: { session: {}, user: {} }, ...more },
})

/** Large replies. */
export const largeReplies: Shapes<CanonicalReply> = {
	...inside(messages, (messages) => reply({ messages })),
	...inside(attributes, (session) => reply({ attributes: { session, user: {} } })),
	'attributes of both': (extent) =>
		reply({ attributes: { session: named(part(extent, 2)), user: named(part(extent, 2)) } }),
	'tags and participants': (extent) =>
		reply({
			control: {
				tags: list(part(extent, 2), (pad, i) => `${i}${pad}`),
				participants: { add: list(part(extent, 2), (pad, i) => `${i}${pad}`) },
			},
		}),
	'parts of each format': (extent) =>
		reply({
			overrides: Object.fromEntries(
				formats.map((name) => [name, list(part(extent, formats.length), (pad) => ({ type: 'own', text: pad }))]),
			),
		}),
}
