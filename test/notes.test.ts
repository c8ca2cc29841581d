/** What the log says of a turn that worked, and yet may not do what its author wants. */
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import type { CanonicalEvent, CanonicalReply } from '../src/model/index.ts'
import { gateway, json, says, statusOnly, upstream } from './servers.ts'

const typed = [['content-type', 'application/json']] as const

/** The notes in the log of one call, and the answer. */
async function notesOf(route: object, body: object, backend: Parameters<typeof upstream>[0] = () => json(says('Hi'))) {
	const { url: to } = await upstream(backend)
	const routes = [{ name: 'in', path: '/in', ...route }]
	const { send, lines } = await gateway({ upstream: { url: to }, routes }, adapters)
	const answer = await send({ path: '/in', headers: typed, body: JSON.stringify(body) })
	await expect.poll(() => lines.filter(({ msg }) => msg === 'turn')).toHaveLength(1)
	return { answer, notes: lines.find(({ msg }) => msg === 'turn')?.notes }
}

const v2 = { chatId: 'c1', messageId: 'm1', userId: 'u1' }

test.each([
	['chatbot-v2', { text: 'question' }, { ...v2, attributes: { frage: 'Hi' } }, '"question", which the option "text"'],
	[
		'chatbot-v2',
		{ text: 'question', action: 'do' },
		{ ...v2, attributes: { question: 'Hi' } },
		'"do", which the option "action"',
	],
	['botdistrikt', {}, { frage: 'Hi' }, '"msg" or "message" or "text" or "query" or "input", which the option "text"'],
	['botdistrikt', { text: 'frage' }, { msg: 'Hi' }, '"frage", which the option "text"'],
])('an option of %s that names what the call does not have: %j', async (platform, options, body, note) => {
	const { answer, notes } = await notesOf({ platform, options }, body)
	expect(answer.status).toBe(200)
	expect(notes).toEqual([expect.stringContaining(note)])
})

test.each([
	['chatbot-v2', { text: 'question' }, { ...v2, attributes: { question: '' } }],
	['chatbot-v2', {}, v2],
	['botdistrikt', {}, { query: 'Hi' }],
])('no note where %s has what its options name: %j', async (platform, options, body) => {
	expect((await notesOf({ platform, options }, body)).notes).toBeUndefined()
})

test.each(['', ' \r\n', 204])('an empty answer, where one was awaited, is noted: %j', async (what) => {
	const backend = () => (typeof what === 'number' ? statusOnly(what) : { status: 200, headers: typed, body: what })
	const { answer, notes } = await notesOf({ platform: 'canonical' }, { event: { kind: 'message' } }, backend)
	expect(answer.status).toBe(200)
	expect(notes).toEqual(['the answer of the upstream is empty'])
})

test.each([
	[{ session: 's1', msg: 'hi' }, 'format-not-recognised', undefined],
	[{ sessionId: 's1' }, 'format-not-recognised', undefined],
	['{', 'body-not-json', undefined],
])('a call that no format of a route knows is refused as such: %j', async (body, title, field) => {
	const { url: to } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: ['chatbot-v1', 'chatbot-v2'] }]
	const { send } = await gateway({ upstream: { url: to }, routes }, adapters)
	const sent = typeof body === 'string' ? body : JSON.stringify(body)
	const answer = await send({ path: '/in', headers: typed, body: sent })
	expect(JSON.parse(answer.body)).toMatchObject({ title })
	expect(JSON.parse(answer.body).field).toBe(field)
})

test('Latin-1 in a query is refused, and logged', async () => {
	const { url: to } = await upstream()
	const routes = [{ name: 'in', path: '/in', platform: 'botdistrikt' }]
	const { send, lines } = await gateway({ upstream: { url: to }, routes }, adapters)
	const answer = await send({ method: 'GET', path: '/in?msg=caf%E9' })
	expect(JSON.parse(answer.body)).toMatchObject({ title: 'body-not-utf8', field: 'msg' })
	await expect.poll(() => lines.filter(({ msg }) => msg === 'refused')).toMatchObject([{ error: 'body-not-utf8' }])
})

const context = { turnId: 'turn-1', receivedAt: '2026-01-02T03:04:05.000Z' }
const sentTo = (name: string, event: Partial<CanonicalEvent>) => {
	const leg = adapters.find((each) => each.name === name)?.create().event
	if (!leg) throw new Error(`no adapter ${name}`)
	const { value, changes } = fitEvent({ kind: 'message', attributes: {}, ...event }, leg, context)
	return { body: JSON.parse(leg.encode(value).body), changes: changes.map(({ did, path }) => `${did} ${path}`) }
}

test('a backend of ChatBot v1 gets the name of another platform’s step as the action', () => {
	const named = sentTo('chatbot-v1', { trigger: { kind: 'intent', name: 'opening hours' } })
	expect(named.body.result.interaction).toEqual({ id: '', name: 'opening hours', action: 'opening hours' })
	expect(named.changes).toContain('added trigger.action')
	const acting = sentTo('chatbot-v1', { trigger: { kind: 'intent', name: 'a', action: 'b' } })
	expect(acting.body.result.interaction.action).toBe('b')
	// Its own step without an action stays one.
	const own = sentTo('chatbot-v1', { trigger: { kind: 'interaction', name: 'a' } })
	expect(own.body.result.interaction.action).toBe('')
})

test.each([
	[{}, 'turn-1'],
	[{ conversation: 'c1' }, 'c1'],
	[{ conversation: 'c1', user: { id: 'u1', attributes: {} } }, 'u1'],
	[{ user: { externalId: 'x1', attributes: {} } }, 'turn-1'],
])('a backend of ChatBot v2 always gets a user id: %j', (event, id) => {
	expect(sentTo('chatbot-v2', event).body.userId).toBe(id)
})

/** What a platform of these adapters is sent of a reply. */
const shownOn = (name: string, messages: CanonicalReply['messages']) => {
	const leg = adapters
		.find((each) => each.name === name)
		?.create()
		.reply({ kind: 'message', attributes: {} })
	if (!leg) throw new Error(`no adapter ${name}`)
	const { value, changes } = fitReply({ messages, attributes: { session: {}, user: {} } }, leg, context)
	return { messages: value.messages, changes: changes.map(({ did, path }) => `${did} ${path}`) }
}

test.each(['chatbot-v1', 'chatbot-v2', 'botdistrikt', 'pingstreams'])('%s shows no empty bubble', (name) => {
	for (const text of [' ', '\n\t', '\u00a0\u3000']) {
		expect(shownOn(name, [{ type: 'text', text }])).toEqual({ messages: [], changes: ['dropped messages[0].text'] })
	}
})

test.each([
	['+49 30 1234', '+49301234'],
	['+1 (555) 010-9999', '+15550109999'],
	['+49/30.1234', '+49301234'],
	['+49\u00a030\u20091234', '+49301234'],
	['+49301234', '+49301234'],
])('a phone button stays one on ChatBot v2: %s', (number, dialled) => {
	const { messages, changes } = shownOn('chatbot-v2', [
		{ type: 'text', text: 'Call us', buttons: [{ type: 'phone', title: 'Call', number }] },
	])
	expect(messages).toMatchObject([{ type: 'text', buttons: [{ type: 'phone', number: dialled }] }])
	const converted = ['converted messages[0].buttons[0].number']
	expect(changes.filter((each) => !each.startsWith('added'))).toEqual(number === dialled ? [] : converted)
})

test('a number that cannot be dialled is still words', () => {
	const button = { type: 'phone', title: 'Call', number: '030 1234 ext. 5' } as const
	const { messages } = shownOn('chatbot-v2', [{ type: 'text', text: 'Call us', buttons: [button] }])
	expect(JSON.stringify(messages)).toContain('030 1234 ext. 5')
})
