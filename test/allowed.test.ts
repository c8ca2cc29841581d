import { expect, test } from 'vitest'
import { CanonicalReply } from '../src/model/index.ts'
import { allowedAt } from '../src/schema/index.ts'

const namesAt = (path: readonly (string | number)[], value?: unknown) =>
	allowedAt(CanonicalReply, path, value).names.map(({ text }) => text)
const valuesAt = (path: readonly (string | number)[], value?: unknown) =>
	allowedAt(CanonicalReply, path, value).values.map(({ text }) => text)

test('the names of a reply, each with what is expected', () => {
	expect(allowedAt(CanonicalReply, [], {}).names).toContainEqual({ text: 'messages', expected: 'a list' })
	expect(namesAt(['control', 'handover'])).toEqual(['to', 'name', 'id'])
})

test('the names of a message are those of its type, or of all types while it has none', () => {
	const typed = { messages: [{ type: 'image' }] }
	expect(namesAt(['messages', 0], typed)).toEqual(['delay', 'instead', 'type', 'url', 'alt'])
	expect(namesAt(['messages', 0])).toEqual(expect.arrayContaining(['text', 'url', 'choices', 'cards']))
	expect(namesAt(['messages', 0, 'buttons', 0])).toEqual(expect.arrayContaining(['title', 'value', 'url', 'number']))
})

test('the values of a type, and of a list of words', () => {
	expect(valuesAt(['messages', 0, 'type'])).toEqual(['text', 'image', 'video', 'audio', 'file', 'choices', 'cards'])
	expect(valuesAt(['control', 'handover', 'to'])).toEqual(['human', 'department', 'bot'])
	expect(valuesAt(['messages'])).toEqual([])
})

test('a place that the schema does not have allows nothing', () => {
	expect(allowedAt(CanonicalReply, ['nowhere', 3, 'x'], {})).toEqual({ names: [], values: [] })
})
