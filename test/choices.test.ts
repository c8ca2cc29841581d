/** What users press and type, and which choice the upstream hears of. */
import { describe, expect, test, vi } from 'vitest'
import type { Offer } from '../src/fit/index.ts'
import { limits } from '../src/limits.ts'
import type { CanonicalEvent } from '../src/model/index.ts'
import type { OpenChoices } from '../src/runtime.ts'
import { resolveChoice } from '../src/turn/choices.ts'
import { withReply } from '../src/turn/index.ts'

const said = (text: string): CanonicalEvent => ({ kind: 'message', text, conversation: 'c1', attributes: {} })
const offer = (label: string, more: Partial<Offer> = {}): Offer => ({
	label,
	choice: { title: label, value: `v:${label}` },
	...more,
})
const picked = (text: string, open: OpenChoices) => resolveChoice(said(text), open).choice?.value

describe('a choice comes back', () => {
	test.each([
		['by its label', 'Tea', 'v:Tea'],
		['by its label as people type it', ' tea ', 'v:Tea'],
		['by its label with the joiner that fit put in', 'T\u2060ea', 'v:Tea'],
		['by nothing else', 'Tea please', undefined],
	])('%s', (_how, words, value) => {
		expect(picked(words, [[offer('Tea')]])).toBe(value)
	})

	test('by its full label, if the platform shows it shortened', () => {
		expect(picked('Earl Grey', [[offer('Earl…', { choice: { title: 'Earl Grey', value: 'v' } })]])).toBe('v')
	})

	test('by the value that the platform sends', () => {
		expect(picked('x7', [[offer('Tea', { value: 'x7' })]])).toBe('v:Tea')
	})

	test('without changing the user’s words', () => {
		expect(resolveChoice(said('tea'), [[offer('Tea')]])).toEqual({
			...said('tea'),
			kind: 'choice',
			choice: { value: 'v:Tea', label: 'Tea' },
		})
	})

	test('from an earlier reply, by its label', () => {
		expect(picked('Tea', [[offer('Coffee')], [offer('Tea')]])).toBe('v:Tea')
	})

	test('from the newest reply, if two have the label', () => {
		const newest = offer('Yes', { choice: { title: 'Yes', value: 'new' } })
		expect(picked('yes', [[newest], [offer('Yes')]])).toBe('new')
	})
})

describe('a number', () => {
	const numbered = [offer('Tea', { number: 1 }), offer('Coffee', { number: 2 })]

	test.each(['2', ' 2 ', '2.', '2)'])('%j picks from the newest reply, if that was numbered', (words) => {
		expect(picked(words, [numbered])).toBe('v:Coffee')
	})

	test('is plain text after another reply, in one not numbered, or beyond the last choice', () => {
		expect(picked('2', [[], numbered])).toBeUndefined()
		expect(picked('2', [[offer('Tea'), offer('Coffee')]])).toBeUndefined()
		expect(picked('3', [numbered])).toBeUndefined()
	})

	test('that is a label is that choice', () => {
		expect(picked('2', [[offer('2'), offer('1', { number: 2 })]])).toBe('v:2')
	})
})

test('events without text are unchanged', () => {
	const start: CanonicalEvent = { kind: 'start', text: 'Tea', attributes: {} }
	expect(resolveChoice(start, [[offer('Tea')]])).toBe(start)
})

test('a reply without choices ends the numbering, and choices are forgotten after some replies', () => {
	let open: OpenChoices | undefined = withReply([], [offer('Tea', { number: 1 })])
	for (let i = 1; i < limits.openReplies.value; i++) open = withReply(open ?? [], [])
	expect(picked('Tea', open ?? [])).toBe('v:Tea')
	expect(picked('1', open ?? [])).toBeUndefined()
	expect(withReply(open ?? [], [])).toBeUndefined()
})

describe('words of any length', () => {
	// Canonical order of these marks is the worst case: many of a high class before many of a low one.
	const marks = `a${'\u0301'.repeat(50_000)}${'\u0323'.repeat(50_000)}`

	test('that are too long to be a label are never normalized', () => {
		const normalize = vi.spyOn(String.prototype, 'normalize')
		const open = Array.from({ length: limits.openReplies.value }, () => [offer('Tea'), offer(marks)])
		expect(picked(`${marks}b`, open)).toBeUndefined()
		expect(Math.max(...normalize.mock.contexts.map((text) => String(text).length))).toBeLessThan(1000)
		normalize.mockRestore()
	})

	test('still pick the choice whose label they repeat exactly', () => {
		expect(picked(marks, [[offer('Tea'), offer(marks)]])).toBe(`v:${marks}`)
	})
})
