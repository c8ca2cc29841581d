/** What users press and type, and which choice the upstream hears of. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { chatbotV2 } from '../adapters/chatbot-v2/index.ts'
import type { Offer } from '../src/fit/index.ts'
import { limits } from '../src/limits.ts'
import type { CanonicalEvent } from '../src/model/index.ts'
import type { OpenChoices, OpenReply, PickedSet } from '../src/runtime.ts'
import { resolveChoice, type StoredChoices, withReply } from '../src/turn/choices.ts'
import { gateway, json, upstream } from './servers.ts'

const said = (text: string): CanonicalEvent => ({ kind: 'message', text, conversation: 'c1', attributes: {} })
const pressed = (value: string): CanonicalEvent => ({ kind: 'choice', choice: { value }, attributes: {} })
const offer = (label: string, more: Partial<Offer> = {}): Offer => ({
	set: 'messages[0]',
	label,
	choice: { title: label, value: `v:${label}` },
	...more,
})
/** Replies, newest first, with what each offered. */
const replies = (...offers: readonly (readonly Offer[])[]): OpenChoices =>
	offers.map((offers, age) => ({ turnId: `turn ${offers.length - age}`, offers: JSON.stringify(offers) }))
/** The value that these words or this event pick. */
const picked = (event: string | CanonicalEvent, ...offers: readonly (readonly Offer[])[]) =>
	resolveChoice(typeof event === 'string' ? said(event) : event, replies(...offers))?.event.choice?.value
/** The open choices after one more reply; undefined when there are none. */
const afterReply = (open: OpenChoices, reply: OpenReply, picked: PickedSet | undefined): OpenChoices | undefined => {
	const next = withReply(open, reply, picked)
	expect(next.whole).toBe(true)
	return next.open.length > 0 ? next.open : undefined
}

describe('a choice comes back', () => {
	test.each([
		['by its label', 'Tea', 'v:Tea'],
		['by its label as people type it', ' tea ', 'v:Tea'],
		['by its label with the joiner that fit put in', 'T\u2060ea', 'v:Tea'],
		['by its label in characters of another width', 'ＴＥＡ', 'v:Tea'],
		['by nothing else', 'Tea please', undefined],
	])('%s', (_how, words, value) => {
		expect(picked(words, [offer('Tea')])).toBe(value)
	})

	test.each([
		['İPTAL', 'iptal'],
		['IŞIK', 'ışık'],
		['Straße', 'strasse'],
		['STRASSE', 'Straße'],
		['Tea & cake', 'tea &amp; cake'],
		['Earl Grey', 'earl\u00a0 grey'],
		['Earl  Grey', 'earl grey'],
		['❤️ Love', '❤ love'],
		['ガス', 'ｶﾞｽ'],
	])('of the label %j by the words %j', (label, words) => {
		expect(picked(words, [offer('Other'), offer(label)])).toBe(`v:${label}`)
	})

	test('by its full label, if the platform shows it shortened', () => {
		expect(picked('Earl Grey', [offer('Earl…', { choice: { title: 'Earl Grey', value: 'v' } })])).toBe('v')
	})

	test('by the value that the platform sends', () => {
		expect(picked('x7', [offer('Tea', { value: 'x7' })])).toBe('v:Tea')
	})

	test('without changing the user’s words', () => {
		expect(resolveChoice(said('tea'), replies([offer('Tea')]))?.event).toEqual({
			...said('tea'),
			kind: 'choice',
			choice: { value: 'v:Tea', label: 'Tea' },
		})
	})

	test('from the newest reply, if two have the label', () => {
		const newest = offer('Yes', { choice: { title: 'Yes', value: 'new' } })
		expect(picked('yes', [newest], [offer('Yes')])).toBe('new')
		expect(picked(pressed('Yes'), [newest], [offer('Yes')])).toBe('new')
	})

	test('by no label that two choices share, unless they do the same', () => {
		const order = (value: string) => offer('Order', { value, choice: { title: 'Order', value } })
		expect(picked('order', [order('tea'), order('milk')])).toBeUndefined()
		expect(picked('milk', [order('tea'), order('milk')])).toBe('milk')
		expect(picked('order', [order('tea'), order('tea')])).toBe('tea')
		expect(picked('Yes', [offer('YES'), offer('Yes')])).toBe('v:Yes')
	})
})

test('by the same words, whatever else was offered', () => {
	const signs = [
		'a',
		'A',
		's',
		'ß',
		'k',
		'\u212a',
		'i',
		'İ',
		' ',
		'  ',
		'\u00a0',
		'&',
		'&amp;',
		'<',
		'&lt;',
		'"',
		'\\',
		'\u2060',
	]
	const label = fc.string({ unit: fc.constantFrom(...signs), maxLength: 5 })
	const asTyped: readonly ((label: string) => string)[] = [
		(label) => label,
		(label) => label.toUpperCase(),
		(label) => ` ${label.replace(/ +/g, ' ')} `,
		(label) => label.replaceAll('&amp;', '&').replaceAll('&lt;', '<'),
		(label) => label.slice(1),
	]
	const typed = fc.tuple(label, fc.constantFrom(...asTyped)).map(([label, typed]) => typed(label))
	fc.assert(
		fc.property(label, fc.oneof(typed, fc.constant(undefined)), fc.constantFrom(...asTyped), (label, other, typed) => {
			const words = other ?? typed(label)
			// Of letters that are all ASCII, less has to be looked at.
			expect(picked(words, [offer(label)])).toBe(picked(words, [offer(label), offer('語')]))
		}),
		{ numRuns: 1000 },
	)
})

describe('of an older reply', () => {
	const older = [
		offer('Tea', { value: 'x7' }),
		offer('Milk'),
		offer('Yes', { value: 'yes' }),
		offer('Two', { value: '2' }),
	]

	test.each([
		['a label that is typed', 'Milk'],
		['a value that reads like its label', 'yes'],
		['a value that is a number', '2'],
	])('%s picks nothing', (_what, words) => {
		expect(picked(words, [], older)).toBeUndefined()
		expect(picked(words, older)).toBeDefined()
	})

	test('a value that comes back picks its choice', () => {
		expect(picked('x7', [], older)).toBe('v:Tea')
	})

	test.each(['x7', 'Milk', 'yes', '2'])('the press of %j picks its choice', (value) => {
		expect(picked(pressed(value), [offer('Other')], older)).toMatch(/^v:/)
	})
})

describe('a number', () => {
	const numbered = ['Tea', 'Coffee', 'Milk'].map((label, i) => offer(label, { number: i + 1 }))

	test.each([
		...['3', ' 3 ', '3.', '3)', '(3)', '[3]', '#3', '3-', '3 -', '3–', '3:', '3,', '"3"', '03', '3。', '3、', '（３）'],
		...['No. 3', 'no.3', 'Nr. 3', '№ 3', '№3', 'n° 3', 'Nº3'],
		...['3️⃣', '3⃣', '③', '⑶', '⒊', '³', '𝟛', '𝟑', '３', '３．'],
		...['٣', '۳', '३', '৩', '੩', '૩', '୩', '௩', '౩', '೩', '൩', '๓', '໓', '༣', '၃', '៣', '᠓', '߃', '꩓', '𑁩', '𞥓'],
		...['\u200f٣\u200f', '(٣)', '٣(', '۳.', '۳؛', '\u20673\u2069'],
	])('%j picks from the newest reply, if that was numbered', (words) => {
		expect(picked(words, numbered)).toBe('v:Milk')
	})

	test.each([
		'-3',
		'3%',
		'3?',
		'3.5',
		'1/3',
		'3 4',
		'3rd',
		'+3',
		'3 cups',
		'no 3',
		'#',
		'',
		'³³³³³',
		`${' '.repeat(50)}3`,
	])('%j is none', (words) => {
		expect(picked(words, numbered)).toBeUndefined()
	})

	test('has digits of one script or several', () => {
		const many = Array.from({ length: 1234 }, (_, i) => offer(`Item ${i + 1}`, { number: i + 1 }))
		for (const words of ['10', '🔟', '1️⃣0️⃣', '١٠', '１０', '⑩', '1０']) expect(picked(words, many)).toBe('v:Item 10')
		expect(picked('١٢٣٤', many)).toBe('v:Item 1234')
	})

	test('is plain text after another reply, in one not numbered, or beyond the last choice', () => {
		expect(picked('2', [], numbered)).toBeUndefined()
		expect(picked('2', [offer('Tea'), offer('Coffee')])).toBeUndefined()
		expect(picked('4', numbered)).toBeUndefined()
	})

	test('that is a label is that choice', () => {
		expect(picked('2', [offer('2'), offer('1', { number: 2 })])).toBe('v:2')
	})
})

test('only words and presses pick a choice', () => {
	const start: CanonicalEvent = { kind: 'start', text: 'Tea', attributes: {} }
	const notice: CanonicalEvent = { kind: 'notice', text: 'Tea', attributes: {} }
	expect(resolveChoice(start, replies([offer('Tea')]))).toBeUndefined()
	expect(resolveChoice(notice, replies([offer('Tea')]))).toBeUndefined()
})

describe('what stays open', () => {
	const tea = offer('Tea', { value: 'x7', number: 1 })
	const after = (open: OpenChoices, offers: readonly Offer[], ...more: Parameters<typeof resolveChoice>) => {
		const [event, before] = more
		return afterReply(open, { turnId: `turn ${open.length + 1}`, offers }, resolveChoice(event, before)?.picked)
	}

	test('a reply without choices ends labels and numbers, and all is forgotten after some replies', () => {
		let open = afterReply([], { turnId: 'first', offers: [tea] }, undefined)
		for (let i = 1; i < limits.openReplies.value; i++) {
			open = afterReply(open ?? [], { turnId: `later ${i}`, offers: [] }, undefined)
		}
		expect(resolveChoice(said('x7'), open ?? [])?.event.choice?.value).toBe('v:Tea')
		expect(resolveChoice(said('Tea'), open ?? [])).toBeUndefined()
		expect(resolveChoice(said('1'), open ?? [])).toBeUndefined()
		expect(afterReply(open ?? [], { turnId: 'last', offers: [] }, undefined)).toBeUndefined()
	})

	test('a pick closes its set, and no other of the reply', () => {
		const milk = offer('Milk', { value: 'x8' })
		const ham = offer('Ham', { value: 'y1', set: 'messages[1]' })
		const open = afterReply([], { turnId: 'first', offers: [tea, milk, ham] }, undefined) ?? []
		const next = after(open, [], said('x7'), open) ?? []
		expect(resolveChoice(said('x8'), next)).toBeUndefined()
		expect(resolveChoice(pressed('x7'), next)).toBeUndefined()
		expect(resolveChoice(said('y1'), next)?.event.choice?.value).toBe('v:Ham')
		expect(after(next, [], said('y1'), next)).toBeUndefined()
	})

	test('a pick from an older reply leaves the newer ones open', () => {
		const open = replies([offer('Ham', { value: 'y1' })], [tea])
		const next = after(open, [], said('x7'), open) ?? []
		expect(resolveChoice(said('y1'), next)).toBeDefined()
		expect(resolveChoice(said('x7'), next)).toBeUndefined()
	})
})

describe('choices that are too large together', () => {
	const bytes = limits.openChoicesBytes.value
	/** Offers of about this many bytes of JSON. */
	const offersOf = (size: number, label = 'Tea', filling = 'x') => [
		offer(label, {
			value: `p:${label}`,
			choice: { title: label, value: filling.repeat(size / Buffer.byteLength(filling)) },
		}),
	]
	let turns = 0
	const addTo = ({ open }: StoredChoices, offers: readonly Offer[]) =>
		withReply(open, { turnId: `turn ${++turns}`, offers }, undefined)
	const after = (...replies: Offer[][]) => replies.reduce(addTo, { open: [], whole: true })
	const isOpen = ({ open }: StoredChoices, label: string) => resolveChoice(pressed(`p:${label}`), open) !== undefined

	test('are forgotten from the oldest reply on, and the result says so', () => {
		const two = after(offersOf(bytes * 0.6, 'Tea'), offersOf(bytes * 0.3, 'Coffee'))
		expect(two.whole).toBe(true)
		expect(isOpen(two, 'Tea')).toBe(true)
		const three = addTo(two, offersOf(bytes * 0.3, 'Milk'))
		expect(three.whole).toBe(false)
		expect(['Tea', 'Coffee', 'Milk'].map((label) => isOpen(three, label))).toEqual([false, true, true])
		expect(addTo(three, [offer('Water')]).whole).toBe(true)
	})

	test('are not remembered if one reply is too large alone, and those of earlier replies stay', () => {
		const next = after(offersOf(10, 'Coffee'), offersOf(bytes, 'Tea'))
		expect(next.whole).toBe(false)
		expect(['Tea', 'Coffee'].map((label) => isOpen(next, label))).toEqual([false, true])
		expect(resolveChoice(said('Coffee'), next.open)).toBeUndefined()
	})

	test.each([
		['of one byte', 'x'],
		['of two bytes', 'ü'],
		['of three bytes', '語'],
		['of four bytes', '🎈'],
		['that JSON escapes', '"'],
	])('are measured in bytes, also of characters %s', (_, filling) => {
		const escaped = JSON.stringify(filling).length - 2 > filling.length ? 2 : 1
		expect(after(offersOf((bytes - 200) / escaped, 'Tea', filling)).whole).toBe(true)
		expect(after(offersOf((bytes + 200) / escaped, 'Tea', filling)).whole).toBe(false)
	})

	test('make room when they are picked from', () => {
		const full = after(offersOf(bytes * 0.6))
		const set = resolveChoice(pressed('p:Tea'), full.open)?.picked
		expect(withReply(full.open, { turnId: 'next', offers: offersOf(bytes * 0.6, 'Milk') }, set).whole).toBe(true)
	})

	test('make no difference where nothing was offered', () => {
		expect(addTo(after(offersOf(bytes * 0.9)), []).whole).toBe(true)
		expect(after([], [], [])).toEqual({ open: [], whole: true })
	})
})

describe('words of any length', () => {
	// Canonical order of these marks is the worst case: many of a high class before many of a low one.
	const marks = `a${'\u0301'.repeat(50_000)}${'\u0323'.repeat(50_000)}`

	test('that are too long to be a label are never normalized', () => {
		const normalize = vi.spyOn(String.prototype, 'normalize')
		expect(picked(`${marks}b`, ...Array.from({ length: 5 }, () => [offer('Tea'), offer(marks)]))).toBeUndefined()
		expect(Math.max(0, ...normalize.mock.contexts.map((text) => String(text).length))).toBeLessThan(1000)
		normalize.mockRestore()
	})

	test('still pick the choice whose label they repeat exactly', () => {
		expect(picked(marks, [offer('Tea'), offer(marks)])).toBe(`v:${marks}`)
	})
})

test('the log line of a turn says when its choices are too large to be remembered', async () => {
	const choice = (value: string) => ({ title: 'Tea', value })
	const sizes = [10, limits.openChoicesBytes.value]
	const { url } = await upstream(() => {
		const choices = [choice('x'.repeat(sizes.shift() ?? 0))]
		return json({ messages: [{ type: 'choices', text: 'Which?', choices }] })
	})
	const { url: at, lines } = await gateway(
		{ upstream: { url }, routes: [{ name: 'in', path: '/in', platform: 'chatbot-v2', options: { text: 'q' } }] },
		[canonical, chatbotV2],
	)
	for (const messageId of ['one', 'two']) {
		const body = JSON.stringify({ chatId: 'c', messageId, attributes: { q: 'Hi' } })
		expect(
			(await fetch(`${at}/in`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
		).toBe(200)
	}
	const forgotten = lines.filter(({ msg }) => msg === 'turn').map(({ choicesForgotten }) => choicesForgotten)
	expect(forgotten).toEqual([undefined, true])
})
