/** The limits of the model: what is over them is refused, in every format, and what is within them passes. */
import { expect, test } from 'vitest'
import { adapters } from '../adapters/index.ts'
import { pingstreams } from '../adapters/pingstreams/index.ts'
import { fitEvent, fitReply } from '../src/fit/index.ts'
import type { WireRequest } from '../src/format/index.ts'
import { limits } from '../src/limits.ts'
import type { Attributes, CanonicalEvent, CanonicalReply, Message } from '../src/model/index.ts'
import { decodeEvent, decodeReply } from '../src/turn/decode.ts'
import { call, gatewayTo, json, upstream } from './servers.ts'

const { listItems, attributes, elements } = limits
const times = <T>(count: number, one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i))
const named = (count: number): Attributes => Object.fromEntries(times(count, (i) => [`k${i}`, '1']))
const texts = (count: number): Message[] => times(count, (i) => ({ type: 'text', text: `t${i}` }))
const choicesOf = (count: number): Message => ({
	...{ type: 'choices', text: 'Which?' },
	choices: times(count, (i) => ({ title: `c${i}`, value: `c${i}` })),
})
const replyOf = (more: Partial<CanonicalReply>): CanonicalReply => ({
	...{ messages: [], attributes: { session: {}, user: {} }, ...more },
})
const heard: CanonicalEvent = { kind: 'message', text: 'Hi', conversation: 'c', attributes: {} }
const context = { turnId: 'turn', receivedAt: '2026-01-02T03:04:05.000Z' }

const formats = adapters.flatMap(({ name, examples: [options], create }) => {
	const adapter = create(options)
	const leg = adapter.reply(heard)
	return [{ name, adapter, ...(leg && { leg }) }]
})
const answered = formats.flatMap(({ name, leg }) => {
	if (!leg) return []
	return [{ name, leg, decode: (reply: CanonicalReply) => decodeReply(leg, leg.encode(reply)) }]
})

const refusal = (field: string, limit: number) => ({
	code: 'upstream-reply-invalid',
	context: expect.objectContaining({
		because: 'field-invalid',
		field,
		expected: expect.stringContaining(String(limit)),
	}),
})

test.each(answered)('an answer of $name may have as many messages as the limit, and no more', ({ decode }) => {
	const count = listItems.value
	expect(decode(replyOf({ messages: texts(count) })).model.messages).toHaveLength(count)
	expect(() => decode(replyOf({ messages: texts(count + 1) }))).toThrow(
		expect.objectContaining(refusal('messages', count)),
	)
})

test.each(answered.filter(({ leg }) => leg.carries['reply.choices']))(
	'an answer of $name may have as many choices in a set as the limit, and no more',
	({ decode }) => {
		const count = listItems.value
		const { messages } = decode(replyOf({ messages: [choicesOf(count)] })).model
		expect(messages.flatMap((each) => (each.type === 'choices' ? each.choices : []))).toHaveLength(count)
		expect(() => decode(replyOf({ messages: [choicesOf(count + 1)] }))).toThrow(
			expect.objectContaining(refusal('messages[0].choices', count)),
		)
	},
)

test.each(answered.filter(({ leg }) => leg.carries['reply.attributes.session']))(
	'an answer of $name may have as many attributes as the limit, and no more',
	({ decode }) => {
		const count = attributes.value
		const session = (size: number) => replyOf({ attributes: { session: named(size), user: {} } })
		expect(Object.keys(decode(session(count)).model.attributes.session)).toHaveLength(count)
		expect(() => decode(session(count + 1))).toThrow(expect.objectContaining(refusal('attributes.session', count)))
	},
)

test.each(answered.filter(({ leg }) => leg.carries['reply.cards']))(
	'an answer of $name may not have more elements in all than the limit',
	({ decode }) => {
		const carousel = (count: number): Message => ({
			type: 'cards',
			cards: times(count, (i) => ({ title: `t${i}`, imageUrl: 'https://a.example/b.png' })),
		})
		const carousels = (count: number) => replyOf({ messages: times(count, () => carousel(99)) })
		expect(decode(carousels(elements.value / 100)).model.messages).toHaveLength(elements.value / 100)
		expect(() => decode(carousels(elements.value / 100 + 1))).toThrow(
			expect.objectContaining(refusal('messages', elements.value)),
		)
	},
)

test.each(answered)('a reply is within the limits of lists after it is converted for $name', ({ leg }) => {
	const reply = replyOf({
		messages: [
			...times(5, (n): Message => ({ type: 'cards', cards: times(50, (i) => ({ title: `${n}.${i}` })) })),
			...times(4, () => choicesOf(150)),
			{ type: 'text', text: 'a text of many words. '.repeat(20_000) },
		],
	})
	const { messages } = fitReply(reply, leg, context).value
	expect(messages.length).toBeLessThanOrEqual(listItems.value)
	const lists = messages.flatMap((each) => [
		...('choices' in each ? [each.choices] : []),
		...('buttons' in each && each.buttons ? [each.buttons] : []),
		...('cards' in each ? [each.cards] : []),
	])
	for (const list of lists) expect(list.length).toBeLessThanOrEqual(listItems.value)
})

test.each(formats.filter(({ adapter }) => adapter.event.carries['event.attributes']))(
	'a call of $name may have as many attributes as the limit, and no more',
	({ adapter }) => {
		const count = attributes.value
		const wire = (size: number): WireRequest =>
			adapter.event.encode(fitEvent({ ...heard, attributes: named(size) }, adapter.event, context).value)
		expect(Object.keys(decodeEvent(adapter, wire(count)).model.attributes)).toHaveLength(count)
		expect(() => decodeEvent(adapter, wire(count + 1))).toThrow(
			expect.objectContaining({
				code: 'field-invalid',
				status: 400,
				context: expect.objectContaining({ field: expect.stringContaining('attributes') }),
			}),
		)
	},
)

test('a static reply of more paragraphs than an event may have messages is accepted, and keeps its text', () => {
	const adapter = pingstreams.create()
	const paragraphs = times(3 * listItems.value, (i) => `p${i}`).join('\n\n')
	const body = JSON.stringify({ payload: { message: { _id: 'i', text: 'Hi' }, intent: { answer: paragraphs } } })
	const { defaultReply = [] } = decodeEvent(adapter, { method: 'POST', query: [], headers: [], body }).model
	expect(defaultReply).toHaveLength(listItems.value)
	expect(defaultReply.map((each) => 'text' in each && each.text).join('\n\n')).toBe(paragraphs)
})

test('over HTTP, a call over a limit is a 400 and an answer over one is a 502; both name the field', async () => {
	let answer = {}
	const { url } = await upstream(() => json(answer))
	const { url: at } = await gatewayTo(url)
	const refused = await call(`${at}/in`, { kind: 'message', attributes: named(attributes.value + 1) })
	expect(refused.status).toBe(400)
	expect(await refused.json()).toMatchObject({ title: 'field-invalid', field: 'event.attributes' })
	answer = { messages: texts(listItems.value + 1) }
	const broken = await call(`${at}/in`, { kind: 'message' })
	expect(broken.status).toBe(502)
	expect(await broken.json()).toMatchObject({
		title: 'upstream-reply-invalid',
		because: 'field-invalid',
		field: 'messages',
	})
})
