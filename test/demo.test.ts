/** The embedded upstream: what it says to what. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { CanonicalReply } from '../src/model/index.ts'
import { demo } from '../src/upstream/index.ts'

/** The demo's reply to an event, which is one of the model. */
async function replyTo(event: object, answer = 'now') {
	const { status, body } = await demo({
		url: 'builtin:demo',
		method: 'POST',
		headers: [],
		body: JSON.stringify({ version: 1, event: { attributes: {}, ...event }, turn: { answer } }),
		timeout: 1000,
		reads: 'reply',
		maxBytes: 1024,
		onlyPublic: false,
	})
	expect(status).toBe(200)
	return v.parse(CanonicalReply, JSON.parse(body))
}

const message = (text: string) => ({ kind: 'message', text })

test('it repeats unknown words', async () => {
	expect((await replyTo(message('Grüße'))).messages).toEqual([{ type: 'text', text: 'You said: Grüße' }])
	expect((await replyTo(message('constructor'))).messages).toEqual([{ type: 'text', text: 'You said: constructor' }])
})

test.each(['choices', 'cards', 'image'])('it shows %s when asked by name', async (word) => {
	expect((await replyTo(message(` ${word.toUpperCase()}`))).messages).toMatchObject([{ type: word }])
})

test('it shows buttons, sets attributes, and lists what it can do', async () => {
	expect((await replyTo(message('buttons'))).messages).toMatchObject([{ type: 'text', buttons: [{}, {}] }])
	expect((await replyTo(message('attributes'))).attributes.session).toEqual({ colour: 'blue' })
	const [help] = (await replyTo(message('help'))).messages
	for (const word of ['choices', 'cards', 'image', 'buttons', 'attributes']) {
		expect(help?.type === 'text' && help.text).toContain(word)
	}
})

test('a pressed choice is named, whether it arrives as a choice or as text', async () => {
	const red = [{ type: 'text', text: 'You chose Red.' }]
	expect((await replyTo({ kind: 'choice', choice: { value: 'colour-red' } })).messages).toEqual(red)
	expect((await replyTo(message('colour-red'))).messages).toEqual(red)
	const other = await replyTo({ kind: 'choice', choice: { value: 'x', label: 'Something else' } })
	expect(other.messages).toEqual([{ type: 'text', text: 'You chose Something else.' }])
})

test('it greets, and is silent if no answer is read', async () => {
	const hello = await replyTo({ kind: 'start', user: { name: 'Ann', attributes: {} } })
	expect(hello.messages).toMatchObject([{ text: expect.stringContaining('Hello, Ann!') }])
	expect((await replyTo({ kind: 'notice' })).messages).toEqual([])
	expect((await replyTo(message('Hi'), 'never')).messages).toEqual([])
})

test('without text it greets, and if the text may have been lost, it says what to do', async () => {
	const attributes = { question: '', city: 'Bern' }
	const greeting = [{ text: expect.stringContaining('Hello!') }]
	for (const trigger of [undefined, { kind: 'interaction', name: 'Welcome' }]) {
		expect((await replyTo({ kind: 'message', attributes, trigger })).messages).toMatchObject(greeting)
	}
	const { messages } = await replyTo({ kind: 'message', attributes, trigger: { kind: 'block' } })
	expect(messages).toMatchObject([...greeting, { text: expect.stringMatching(/save them.*question, city/) }])
	const media = [{ kind: 'image', url: 'https://example.com/a.png' }]
	expect((await replyTo({ kind: 'message', media })).messages).toMatchObject([
		{ text: expect.stringContaining('file') },
	])
})
