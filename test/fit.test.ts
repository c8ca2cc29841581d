/** Fit by example: what becomes of the things that bots say, on formats that lack something. */
import { describe, expect, test } from 'vitest'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import {
	type Carries,
	jsonRequest,
	jsonResponse,
	type Leg,
	type Report,
	type WireRequest,
	type WireResponse,
} from '../src/format/index.ts'
import type { CanonicalEvent, CanonicalReply, Message } from '../src/model/index.ts'
import { timeOf } from './harness/event-loop.ts'

const context = { turnId: 'turn_1', receivedAt: '2026-01-01T00:00:00.000Z' }

function fit(carries: Carries<CanonicalReply>, messages: Message[], reply: Partial<CanonicalReply> = {}) {
	const leg: Leg<WireResponse, CanonicalReply> = {
		carries,
		encode: (model) => jsonResponse(model),
		decode,
	}
	const fitted = fitReply({ messages, attributes: { session: {}, user: {} }, ...reply }, leg, context)
	return { ...fitted, said: fitted.value.messages, did: fitted.changes.map(({ did, path }) => `${did} ${path}`) }
}

const decode = (): never => {
	throw new Error('not used')
}

const plain: Carries<CanonicalReply> = { 'reply.text': {} }
const quick: Carries<CanonicalReply> = {
	'reply.text': { chars: 40 },
	'reply.choices': { items: 3 },
	'reply.choices.text': { chars: 30, required: true },
	'reply.choice.title': { chars: 12 },
	'reply.choice.value': { chars: 20 },
	'reply.choice.goto': { pattern: '^\\d+$' },
}
const rich: Carries<CanonicalReply> = {
	...quick,
	'reply.image': {},
	'reply.text.buttons': { items: 2, chars: 30 },
	'reply.button.title': { chars: 12 },
	'reply.button.postback': {},
	'reply.button.link': {},
	'reply.cards': {},
	'reply.card.title': { chars: 20 },
	'reply.card.subtitle': { chars: 20 },
	'reply.card.image': { required: true },
	'reply.card.buttons': { items: 2, required: true },
}
const choices = (...titles: string[]): Message => ({
	type: 'choices',
	text: 'Which?',
	choices: titles.map((title) => ({ title, value: title.toLowerCase() })),
})

test('a delay is named where it stood: before the text that became the words of bare choices', () => {
	const question: Message = { type: 'text', text: 'Which?', delay: 5 }
	const bare: Message = { type: 'choices', choices: [{ title: 'Red', value: 'red' }], delay: 5 }
	const { did } = fit(quick, [question, bare])
	expect(did).toEqual(['added messages[1].text', 'dropped messages[1].delay', 'dropped messages[0].delay'])
})

describe('text', () => {
	test('over the limit is split at the best break, and no word is lost', () => {
		const { said, did } = fit(quick, [
			{ type: 'text', text: 'One sentence here. Another one follows, and it is long.' },
		])
		expect(said).toEqual([
			{ type: 'text', text: 'One sentence here.' },
			{ type: 'text', text: 'Another one follows, and it is long.' },
		])
		expect(did).toEqual(['split messages[0].text'])
	})

	test('is never cut inside a grapheme', () => {
		const family = '👩‍👩‍👧‍👦'
		const { said } = fit({ 'reply.text': { chars: 30 } }, [{ type: 'text', text: family.repeat(5) }])
		expect(said).toEqual([
			{ type: 'text', text: family.repeat(2) },
			{ type: 'text', text: family.repeat(2) },
			{ type: 'text', text: family },
		])
	})

	test('that the platform would execute is broken by a word joiner', () => {
		const { said, did } = fit({ 'reply.text': { escape: '\\\\(?=\\w)|^\\*(?= )' } }, [
			{ type: 'text', text: 'call \\agent\n* not a button' },
		])
		expect(said).toEqual([{ type: 'text', text: 'call \\\u2060agent\n*\u2060 not a button' }])
		expect(did).toEqual(['escaped messages[0].text'])
	})

	test('with alternatives becomes one of them, the same for the same turn', () => {
		const message: Message = { type: 'text', text: 'Hi', alternatives: ['Hello', 'Hey'] }
		const { said, did } = fit(plain, [message])
		expect(said).toHaveLength(1)
		expect(fit(plain, [message]).said).toEqual(said)
		expect(did).toHaveLength(2)
	})

	test('with alternatives becomes one that the format shows', () => {
		const message: Message = { type: 'text', text: ' ', alternatives: ['\n', 'Hello', ' '], delay: 100 }
		expect(fit({ 'reply.text': { notBlank: true } }, [message]).said).toEqual([{ type: 'text', text: 'Hello' }])
	})

	test('that the format does not show is dropped with its delay', () => {
		const { said, did } = fit({ 'reply.text': { notBlank: true } }, [{ type: 'text', text: ' ', delay: 100 }])
		expect(said).toEqual([])
		expect(did).toEqual(['dropped messages[0].text', 'dropped messages[0].delay'])
	})

	test('with an unpaired surrogate is repaired', () => {
		expect(fit(plain, [{ type: 'text', text: 'a\ud83d' }])).toMatchObject({
			said: [{ text: 'a\ufffd' }],
			did: ['converted messages[0].text'],
		})
	})
})

describe('choices', () => {
	test('too many for one set become more messages', () => {
		const { said } = fit(quick, [choices('A', 'B', 'C', 'D')])
		expect(said).toEqual([
			choices('A', 'B', 'C'),
			{ type: 'choices', text: '…', choices: [{ title: 'D', value: 'd' }] },
		])
	})

	test('become numbered text in formats without choices, and are remembered by number', () => {
		const { said, offers } = fit(plain, [choices('Tea', 'Coffee')])
		expect(said).toEqual([{ type: 'text', text: 'Which?\n1. Tea\n2. Coffee' }])
		expect(offers).toEqual([
			{ set: 'messages[0]', label: 'Tea', number: 1, choice: { title: 'Tea', value: 'tea' } },
			{ set: 'messages[0]', label: 'Coffee', number: 2, choice: { title: 'Coffee', value: 'coffee' } },
		])
	})

	test('with long labels appear in full in the text', () => {
		const { said } = fit(quick, [{ type: 'choices', choices: [{ title: 'The first of January', value: '1' }] }])
		expect(said).toEqual([
			{ type: 'choices', text: '– The first of January', choices: [{ title: 'The first o…', value: '1' }] },
		])
	})

	test('that only come back as labels get unique labels', () => {
		const { said, offers } = fit({ 'reply.text': {}, 'reply.choices': {} }, [
			{
				type: 'choices',
				choices: [
					{ title: 'Yes', value: 'a' },
					{ title: 'Yes', value: 'b' },
				],
			},
		])
		expect(said).toEqual([
			{
				type: 'choices',
				choices: [
					{ title: 'Yes', value: 'Yes' },
					{ title: 'Yes (2)', value: 'Yes (2)' },
				],
			},
		])
		expect(offers.map(({ label, choice }) => [label, 'value' in choice && choice.value])).toEqual([
			['Yes', 'a'],
			['Yes (2)', 'b'],
		])
	})

	test('become one set if a reply can have only one, and numbers if it is too small', () => {
		const single: Carries<CanonicalReply> = {
			'reply.text': {},
			'reply.messages': { single: true, order: [['text'], ['choices']] },
			'reply.choices': { items: 3 },
		}
		const { said } = fit(single, [choices('A'), { type: 'text', text: 'or' }, choices('B')])
		expect(said).toEqual([
			{ type: 'text', text: 'Which?' },
			{ type: 'text', text: 'or' },
			{ type: 'text', text: 'Which?' },
			{
				type: 'choices',
				choices: [
					{ title: 'A', value: 'A' },
					{ title: 'B', value: 'B' },
				],
			},
		])
		expect(fit(single, [choices('A', 'B'), choices('C', 'D')]).said.at(-1)).toEqual({
			type: 'text',
			text: '1. A\n2. B\n3. C\n4. D',
		})
	})
})

describe('choices of one title', () => {
	const labels: Carries<CanonicalReply> = { 'reply.text': {}, 'reply.choices': {}, 'reply.choice.title': {} }
	const withCards: Carries<CanonicalReply> = {
		...labels,
		...{ 'reply.cards': {}, 'reply.card.title': {}, 'reply.card.subtitle': {}, 'reply.card.buttons': {} },
	}
	const set = (text: string | undefined, ...values: string[]): Message => ({
		type: 'choices',
		...(text !== undefined && { text }),
		choices: values.map((value) => ({ title: 'Yes', value })),
	})
	const menu = (...cards: readonly (readonly [title: string, subtitle?: string])[]): Message => ({
		type: 'cards',
		cards: cards.map(([title, subtitle], i) => ({
			title,
			...(subtitle !== undefined && { subtitle }),
			buttons: [{ type: 'postback', title: 'Order', value: `order-${i}` }],
		})),
	})
	const labelsOf = (carries: Carries<CanonicalReply>, ...messages: Message[]) =>
		fit(carries, messages).offers.map(({ label }) => label)
	const textsOf = (carries: Carries<CanonicalReply>, ...messages: Message[]) =>
		fit(carries, messages).said.flatMap((message) => (message.type === 'text' ? message.text : []))

	test('are told apart by their cards', () => {
		expect(labelsOf(withCards, menu(['Diavola'], ['Funghi']))).toEqual(['Order: Diavola', 'Order: Funghi'])
		expect(labelsOf(labels, menu(['Diavola'], ['Funghi']))).toEqual(['Order: Diavola', 'Order: Funghi'])
	})

	test('are told apart by the subtitles of cards of one title', () => {
		expect(labelsOf(withCards, menu(['Pizza', 'small'], ['Pizza', 'large'], ['Salad', 'green']))).toEqual([
			'Order: Pizza, small',
			'Order: Pizza, large',
			'Order: Salad',
		])
	})

	test('are named by their cards alone if the label has no room for both', () => {
		const small = { ...withCards, 'reply.choice.title': { chars: 12 } }
		const { offers, said, did } = fit(small, [menu(['Margherita'], ['Quattro stagioni'])])
		expect(offers.map(({ label }) => label)).toEqual(['Margherita', 'Quattro sta…'])
		expect(said.flatMap((message) => (message.type === 'text' ? message.text : []))).toEqual([
			'– Order: Margherita',
			'– Order: Quattro stagioni',
		])
		expect(did).toContain('converted messages[0].cards[0].buttons[0].title')
	})

	test('are told apart by the text of their set if it is short, else by a number', () => {
		const long = 'Shall we really delete everything that you have ever stored?'
		expect(labelsOf(labels, set('Delete it?', 'a'), set('News:', 'b'))).toEqual(['Yes: Delete it?', 'Yes: News'])
		expect(labelsOf(labels, { type: 'text', text: 'Delete it?' }, set(undefined, 'a'), set('News', 'b'))).toEqual([
			'Yes: Delete it?',
			'Yes: News',
		])
		expect(labelsOf(labels, set(long, 'a'), set(long, 'b'))).toEqual(['Yes', 'Yes (2)'])
		expect(labelsOf(labels, set('News', 'a', 'b'))).toEqual(['Yes', 'Yes (2)'])
	})

	test('keep their title if they do the same, or if nobody else has it', () => {
		expect(labelsOf(labels, set('Delete it?', 'a'), set('News', 'a'))).toEqual(['Yes', 'Yes'])
		expect(labelsOf(withCards, menu(['Diavola']))).toEqual(['Order'])
	})

	test('keep their title in formats whose presses tell them apart', () => {
		const valued: Carries<CanonicalReply> = { ...withCards, 'reply.choice.value': {}, 'reply.button.postback': {} }
		expect(labelsOf(valued, menu(['Diavola'], ['Funghi']))).toEqual(['Order', 'Order'])
	})

	test('have numbers that count on through the reply', () => {
		const { said, offers } = fit(plain, [set('Delete it?', 'a', 'b'), { type: 'text', text: 'And' }, set('News', 'c')])
		expect(said.map((message) => message.type === 'text' && message.text)).toEqual([
			'Delete it?\n1. Yes\n2. Yes',
			'And',
			'News\n3. Yes',
		])
		expect(offers.map(({ number }) => number)).toEqual([1, 2, 3])
	})

	test('have numbers and the names of their cards behind a carousel', () => {
		const carousel = { ...withCards, 'reply.choices': undefined }
		const { 'reply.choices': _, ...numbered } = carousel
		expect(textsOf(numbered, menu(['Diavola'], ['Funghi']))).toEqual(['1. Order: Diavola', '2. Order: Funghi'])
		expect(textsOf(plain, menu(['Diavola'], ['Funghi']))).toEqual(['Diavola\n1. Order', 'Funghi\n2. Order'])
	})

	test('that are one and the same are shown once where a reply has one set', () => {
		const single: Carries<CanonicalReply> = { ...labels, 'reply.messages': { single: true } }
		const { said, did } = fit(single, [set('Delete it?', 'a'), set('News', 'a')])
		expect(said.at(-1)).toEqual({ type: 'choices', choices: [{ title: 'Yes', value: 'Yes' }] })
		expect(did).toContain('merged messages[1].choices[0]')
	})

	test('whose value is too long differ from every value that comes back', () => {
		const valued: Carries<CanonicalReply> = { ...labels, 'reply.choice.value': { chars: 10 } }
		const choices = [
			{ title: 'Tea', value: 'a long value of tea' },
			{ title: 'Other', value: 'Tea' },
		]
		const { said } = fit(valued, [{ type: 'choices', choices }])
		expect(said).toEqual([
			{
				type: 'choices',
				choices: [
					{ title: 'Tea (2)', value: 'Tea (2)' },
					{ title: 'Other', value: 'Tea' },
				],
			},
		])
	})
})

describe('a text before bare choices', () => {
	const ask: Message = { type: 'text', text: 'Pick one', delay: 300 }
	const bare: Message = { type: 'choices', choices: [{ title: 'Menu', value: 'menu' }] }
	const required: Carries<CanonicalReply> = {
		...{ 'reply.text': {}, 'reply.choices': {}, 'reply.choices.text': { required: true }, 'reply.delay': {} },
		...{ 'reply.choice.title': {}, 'reply.choice.value': {} },
	}

	test('is their text where they need one', () => {
		const { said, changes } = fit(required, [{ type: 'text', text: 'Hello' }, ask, bare])
		expect(said).toEqual([
			{ type: 'text', text: 'Hello' },
			{ ...bare, text: 'Pick one', delay: 300 },
		])
		expect(changes.map(({ did }) => did)).toEqual(['added'])
	})

	test('carries them as buttons in formats that have those', () => {
		const buttons: Carries<CanonicalReply> = { 'reply.text': {}, 'reply.text.buttons': {}, 'reply.button.postback': {} }
		expect(fit(buttons, [{ type: 'text', text: 'Pick one' }, bare]).said).toMatchObject([
			{ type: 'text', text: 'Pick one', buttons: [{ title: 'Menu' }] },
		])
	})

	test('stays a message where they need none, or have their own, or something is between', () => {
		const { 'reply.choices.text': _, ...optional } = required
		expect(fit(optional, [ask, bare]).said).toEqual([ask, bare])
		expect(fit(required, [ask, { ...bare, text: 'Which?' }]).said).toHaveLength(2)
		expect(fit(required, [ask, { type: 'image', url: 'https://a.example/i.png' }, bare]).said).toHaveLength(3)
	})
})

describe('the choices of a card', () => {
	const card: Message = {
		type: 'cards',
		cards: [{ title: 'Blue', buttons: [{ type: 'postback', title: 'Take', value: 'b' }] }],
	}

	test('do not repeat its title, unless their text is needed', () => {
		const carries: Carries<CanonicalReply> = {
			...{ 'reply.text': {}, 'reply.choices': {}, 'reply.choice.title': {} },
			...{ 'reply.cards': {}, 'reply.card.title': {}, 'reply.card.buttons': {} },
		}
		expect(fit(carries, [card]).said).toEqual([
			{ type: 'cards', cards: [{ title: 'Blue' }] },
			{ type: 'choices', choices: [{ title: 'Take', value: 'Take' }] },
		])
		expect(fit({ ...carries, 'reply.choices.text': { required: true } }, [card]).said.at(-1)).toMatchObject({
			text: 'Blue',
		})
	})
})

describe('buttons', () => {
	test('too many become more messages; links stay links', () => {
		const { said } = fit(rich, [
			{
				type: 'text',
				text: 'Do',
				buttons: [
					{ type: 'postback', title: 'A', value: 'a' },
					{ type: 'link', title: 'B', url: 'https://b.example' },
					{ type: 'webview', title: 'C', url: 'https://c.example', height: 'tall' },
				],
			},
		])
		expect(said).toMatchObject([
			{ text: 'Do', buttons: [{ title: 'A' }, { title: 'B' }] },
			{ text: '…', buttons: [{ type: 'link', title: 'C', url: 'https://c.example' }] },
		])
	})

	test('of unsupported types become choices and lines of text', () => {
		const { said } = fit(quick, [
			{
				type: 'text',
				text: 'Do',
				buttons: [
					{ type: 'postback', title: 'A', value: 'a' },
					{ type: 'link', title: 'Shop', url: 'https://b.example' },
				],
			},
		])
		expect(said).toEqual([
			{ type: 'choices', text: 'Do\nShop: https://b.example', choices: [{ title: 'A', value: 'a' }] },
		])
	})

	test('are shown with the last sentence of a text that is too long for them', () => {
		const { said } = fit(rich, [
			{
				type: 'text',
				text: 'We have a lot to offer. Shall we go on?',
				buttons: [{ type: 'postback', title: 'Yes', value: 'y' }],
			},
		])
		expect(said).toMatchObject([
			{ text: 'We have a lot to offer.' },
			{ text: 'Shall we go on?', buttons: [{ title: 'Yes' }] },
		])
	})
})

describe('cards', () => {
	const buttons: [{ type: 'postback'; title: string; value: string }] = [{ type: 'postback', title: 'Buy', value: 'b' }]

	test('without the required picture become text and buttons', () => {
		const { said } = fit(rich, [{ type: 'cards', cards: [{ title: 'Tea', subtitle: 'Green', buttons }] }])
		expect(said).toEqual([{ type: 'text', text: 'Tea\nGreen', buttons }])
	})

	test('that the format can show stay together', () => {
		const whole = { title: 'Tea', subtitle: 'Green', imageUrl: 'https://i.example/t.png', buttons }
		const { said, changes } = fit({ ...rich, 'reply.card.subtitle': {} }, [{ type: 'cards', cards: [whole, whole] }])
		expect(said).toEqual([{ type: 'cards', cards: [whole, whole] }])
		expect(changes).toEqual([])
	})

	test('are replaced by the author’s text in formats without cards', () => {
		const { said, did } = fit(plain, [{ type: 'cards', cards: [{ title: 'Tea' }], instead: 'We have tea.' }])
		expect(said).toEqual([{ type: 'text', text: 'We have tea.' }])
		expect(did).toEqual(['dropped messages[0]'])
	})
})

describe('the whole reply', () => {
	test('is cut at the end if it has too many bytes, and says so', () => {
		const texts = [1, 2, 3].map((n): Message => ({ type: 'text', text: `${n}`.repeat(100) }))
		const { said, did } = fit({ ...plain, reply: { bytes: 350 } }, texts)
		expect(said).toHaveLength(2)
		expect(did).toEqual(['dropped messages'])
	})

	test('keeps user attributes only where they can be written', () => {
		const attributes = { session: { a: 1 }, user: { a: 2, b: 3 } }
		const sessionOnly: Carries<CanonicalReply> = { ...plain, 'reply.attributes.session': { strings: true } }
		expect(fit(sessionOnly, [], { attributes }).value.attributes).toEqual({ session: { a: '1' }, user: {} })
		const folding: Carries<CanonicalReply> = { ...sessionOnly, 'reply.attributes.user': { foldedInto: 'session' } }
		expect(fit(folding, [], { attributes }).value.attributes).toEqual({ session: { a: '1', b: '3' }, user: {} })
	})
})

describe('counts', () => {
	test('of tags and attributes are enforced, and dropped items are named', () => {
		const carries: Carries<CanonicalReply> = {
			...plain,
			'reply.control.tags': { items: 1 },
			'reply.attributes.session': { items: 1 },
		}
		const attributes = { session: { a: 1, b: 2 }, user: {} }
		const { value, did } = fit(carries, [], { attributes, control: { tags: ['x', 'y'] } })
		expect(value).toMatchObject({ attributes: { session: { a: 1 } }, control: { tags: ['x'] } })
		expect(did).toEqual(['dropped control.tags[1]', 'dropped attributes.session.b'])
	})

	test('of an event’s contexts are enforced', () => {
		const { value, changes } = fitEvent(
			{ kind: 'message', attributes: {}, contexts: [{ id: '1' }, { id: '2' }] },
			{
				carries: { 'event.kind': {}, 'event.contexts': { items: 1 }, 'event.contexts.id': {} },
				encode: jsonRequest,
				decode,
			},
			context,
		)
		expect(value.contexts).toEqual([{ id: '1' }])
		expect(changes.map(({ did, path }) => `${did} ${path}`)).toEqual(['dropped contexts[1]'])
	})
})

describe('a format with refine', () => {
	const withoutAlt = (messages: readonly Message[], report: Report): Message[] =>
		messages.map((message, i) => {
			if (message.type !== 'image' || message.alt !== 'x') return message
			report({ did: 'dropped', feature: 'reply.image.alt', path: `messages[${i}].alt` })
			return { type: 'image', url: message.url }
		})

	test('reports changes by the path before the change', () => {
		const leg: Leg<WireResponse, CanonicalReply> = {
			carries: { 'reply.text': { chars: 10 }, 'reply.image': {}, 'reply.image.alt': {} },
			encode: (model) => jsonResponse(model),
			decode,
			refine: (reply, report) => ({ ...reply, messages: withoutAlt(reply.messages, report) }),
		}
		const image: Message = { type: 'image', url: 'https://a.example', alt: 'x' }
		const messages: Message[] = [{ type: 'text', text: 'one two three four' }, image]
		const { value, changes } = fitReply({ messages, attributes: { session: {}, user: {} } }, leg, context)
		expect(value.messages.at(-1)).toEqual({ type: 'image', url: image.url })
		expect(changes.map(({ did, path }) => `${did} ${path}`)).toEqual([
			'split messages[0].text',
			'dropped messages[1].alt',
		])
	})
})

describe('a fixed bug', () => {
	test('user attributes that are folded into the session are reported under their own name', () => {
		const folding: Carries<CanonicalReply> = {
			...plain,
			'reply.attributes.session': { reserved: ['message'] },
			'reply.attributes.user': { foldedInto: 'session' },
		}
		const { value, did } = fit(folding, [], { attributes: { session: {}, user: { message: 1 } } })
		expect(value.attributes).toEqual({ session: {}, user: {} })
		expect(did).toContain('dropped attributes.user.message')
	})

	test('a delay under the minimum is raised, also without a maximum', () => {
		const { said } = fit({ ...plain, 'reply.delay': { min: 100 } }, [{ type: 'text', text: 'Hi', delay: 0 }])
		expect(said).toEqual([{ type: 'text', text: 'Hi', delay: 100 }])
	})

	test('cutting between markup and its joiner terminates', () => {
		const { said } = fit({ 'reply.text': { chars: 20, escape: '#(?!\u2060)' } }, [
			{ type: 'text', text: `${'x'.repeat(19)}#` },
		])
		expect(said.map((message) => message.type === 'text' && message.text.length <= 20)).not.toContain(false)
	})

	test('a pattern must match the whole value, not one of its lines', () => {
		const carries: Carries<CanonicalReply> = { ...plain, 'reply.control.goto': { pattern: '^[0-9]+$' } }
		expect(fit(carries, [], { control: { goto: 'x\n12' } }).did).toEqual(['dropped control.goto'])
	})

	test('white space that is removed at the end of a text is reported', () => {
		const { said, did } = fit({ 'reply.text': { chars: 5 } }, [{ type: 'text', text: 'hello ' }])
		expect(said).toEqual([{ type: 'text', text: 'hello' }])
		expect(did).toEqual(['shortened messages[0].text'])
	})

	test('keys that become equal by repair do not hide each other', () => {
		const session = { 'a\ud800': 1, 'a\udc00': 2 }
		const { did } = fit({ 'reply.attributes.session': {} }, [], { attributes: { session, user: {} } })
		expect(did.filter((each) => each.startsWith('dropped'))).toHaveLength(1)
	})

	test('dropped choices are not offered', () => {
		const { said, offers } = fit({ ...quick, 'reply.messages': { items: 1 } }, [choices('A', 'B', 'C', 'D')])
		expect(said).toHaveLength(1)
		expect(offers.map(({ label }) => label)).toEqual(['A', 'B', 'C'])
	})

	test('thousands of choices with one label, and messages over the byte limit, are fitted quickly', () => {
		const same = Array.from({ length: 5000 }, (_, i) => ({ title: 'A title that is cut', value: `${i}` }))
		const texts = Array.from({ length: 10_000 }, (_, i): Message => ({ type: 'text', text: `Text ${i}` }))
		const session = Object.fromEntries(texts.map((_, i) => [`key ${i}`, i]))
		const carries: Carries<CanonicalReply> = { ...quick, reply: { bytes: 50_000 }, 'reply.attributes.session': {} }
		const { said } = fit(carries, [{ type: 'choices', choices: same }, ...texts], { attributes: { session, user: {} } })
		expect(said.length).toBeLessThan(1000)
	})
})

describe('URLs', () => {
	const limit = { blanks: 'encoded', pattern: '^https?://\\S+$' } as const
	const blank = ' https://a.example/b c.png\n'

	test('have no spaces if the format allows none', () => {
		const carries: Carries<CanonicalReply> = {
			...plain,
			'reply.image': limit,
			'reply.cards': {},
			'reply.card.image': limit,
			'reply.card.url': limit,
			'reply.card.buttons': {},
			'reply.text.buttons': {},
			'reply.button.link': limit,
		}
		const link: Message = {
			type: 'text',
			text: 'Do',
			buttons: [{ type: 'webview', title: 'A', url: 'https://a.example/x y' }],
		}
		const { said, did } = fit(carries, [
			{ type: 'image', url: blank },
			{ type: 'cards', cards: [{ title: 'A', imageUrl: blank, url: 'ftp://a.example/no url' }] },
			link,
		])
		const url = 'https://a.example/b%20c.png'
		expect(said).toEqual([
			{ type: 'image', url },
			{ type: 'cards', cards: [{ title: 'A', imageUrl: url }] },
			{ type: 'text', text: 'A: ftp://a.example/no%20url' },
			{ type: 'text', text: 'Do', buttons: [{ type: 'link', title: 'A', url: 'https://a.example/x%20y' }] },
		])
		expect(did).toContain('escaped messages[0].url')
	})

	test('are unchanged in other formats', () => {
		expect(fit({ 'reply.image': {} }, [{ type: 'image', url: blank }]).said).toEqual([{ type: 'image', url: blank }])
	})
})

describe('an event', () => {
	const leg: Leg<WireRequest, CanonicalEvent> = {
		carries: { 'event.conversation': { required: true }, 'event.user.id': { required: true } },
		encode: (model) => jsonRequest(model),
		decode,
	}
	const idsOf = (event: Partial<CanonicalEvent>) => {
		const { value } = fitEvent({ kind: 'message', attributes: {}, ...event }, leg, context)
		return [value.conversation, value.user?.id]
	}

	test('without a conversation or a user uses the other, and the turn’s id without both', () => {
		expect(idsOf({ conversation: 'c' })).toEqual(['c', 'c'])
		expect(idsOf({ user: { id: 'u', attributes: {} } })).toEqual(['u', 'u'])
		expect(idsOf({ conversation: 'c', user: { id: 'u', attributes: {} } })).toEqual(['c', 'u'])
		expect(idsOf({})).toEqual(['turn_1', 'turn_1'])
	})
})

describe('many alike labels', () => {
	const alike = (pairs: number) => {
		const titles = Array.from({ length: pairs }, (_, i) => `AAAAAAAAAAAAAAA${i}`)
		return choices(...titles.flatMap((title) => [title, title]))
	}
	const quickest = (message: Message) => Math.min(...[1, 2, 3].map(() => timeOf(() => fit(quick, [message]))))

	test('each get a number of their own, counted on for all that are cut alike', () => {
		const labels = fit(quick, [alike(60)]).said.flatMap((message) =>
			message.type === 'choices' ? message.choices.map(({ title }) => title) : [],
		)
		expect(labels).toHaveLength(120)
		expect(new Set(labels).size).toBe(120)
		expect(labels.slice(0, 3)).toEqual(['AAAAAAAAAAA…', 'AAAAAAA… (2)', 'AAAAAAA… (3)'])
		expect(labels.at(-1)).toBe('AAAAA… (120)')
	})

	test('take time in proportion to their number', () => {
		quickest(alike(200))
		// Eight times as many: 8 in proportion, 64 by the square.
		expect(quickest(alike(2000)) / quickest(alike(250))).toBeLessThan(30)
	})
})

test.each([
	[{ type: [] }, ['overrides.other.type']],
	[{ parts: [1, 2] }, ['overrides.other.parts[0]', 'overrides.other.parts[1]']],
	[
		['a', []],
		['overrides.other[0]', 'overrides.other[1]'],
	],
	[[], ['overrides.other']],
])('native parts of another format are named one by one: %j', (native, paths) => {
	const reply: CanonicalReply = { messages: [], attributes: { session: {}, user: {} }, overrides: { other: native } }
	const { changes } = fitReply(reply, { carries: plain, encode: () => [] }, { ...context, decodedFrom: 'other' })
	expect(changes.map(({ path }) => path)).toEqual(paths)
})
