/** SnatchBot's JSON API under the laws and its fixtures; the limits are those that the platform documents. */
import { describe, expect, test } from 'vitest'
import { fitReply } from '../../src/fit/index.ts'
import type { Fields } from '../../src/format/index.ts'
import { type CanonicalEvent, type CanonicalReply, emptyReply } from '../../src/model/index.ts'
import { testAdapter } from '../../test/adapter.ts'
import { snatchbotJsonApi } from './index.ts'
import { limits } from './limits.ts'

testAdapter(snatchbotJsonApi, { fixtures: new URL('./fixtures/', import.meta.url), limits })

describe('the builder’s check', () => {
	const { challenge } = snatchbotJsonApi.create({ filler: 'Hello' })
	const call = (method: string, query: Fields = [], body = '') => ({ method, query, headers: [], body })

	test.each([call('GET'), call('HEAD'), call('POST'), call('GET', [['type', 'setCity']])])(
		'is a call without any field of the platform: $method $query',
		(check) => {
			expect(challenge?.(check)).toMatchObject({ status: 200, body: '{"message":"Hello"}' })
		},
	)

	test.each([call('GET', [['user_id', '2']]), call('POST', [['incoming_message', '']]), call('POST', [], 'user_id=2')])(
		'is no call with one: $method $query $body',
		(other) => {
			expect(challenge?.(other)).toBeUndefined()
		},
	)
})

test.each(['a::next::b', 'a::next', 'a::next:', '::next::next::', ':::next:::', 'a:', 'next::'])(
	'a reply’s %j stays one message',
	(text) => {
		const event: CanonicalEvent = { kind: 'message', attributes: {} }
		const leg = snatchbotJsonApi.create().reply(event)
		if (!leg) throw new Error('the platform reads an answer')
		const messages: CanonicalReply['messages'] = [
			{ type: 'text', text },
			{ type: 'text', text },
		]
		const { value } = fitReply({ ...emptyReply, messages }, leg, {
			turnId: 't',
			receivedAt: '2026-01-02T03:04:05Z',
		})
		const shown = leg.decode(leg.encode(value)).model.messages
		expect(shown.map((each) => 'text' in each && each.text?.replaceAll('\u2060', ''))).toEqual([text, text])
	},
)

test('words that a card lacks and the model needs are named', () => {
	const leg = snatchbotJsonApi.create().reply({ kind: 'message', attributes: {} })
	const buttons = [{ type: 'module', value: 4600, name: 'Cart' }]
	const gallery = [
		{ heading: 'Tea' },
		{ buttons },
		{ subtitle: 'hot', buttons },
		{},
		{ image: 'https://a.example/b.png' },
	]
	const cards = [
		{ type: 'text', buttons },
		{ type: 'gallery', gallery },
		{ type: 'text', value: 'Hi', buttons },
	]
	const body = JSON.stringify({ message: 'Look', cards })
	expect(leg?.decode({ status: 200, headers: [], body }).added).toEqual([
		'cards[0].value',
		'cards[1].gallery[1].heading',
		'cards[1].gallery[4].heading',
	])
	const plain = JSON.stringify({ message: 'Look', cards: cards.slice(2) })
	expect(leg?.decode({ status: 200, headers: [], body: plain }).added).toBeUndefined()
})

test('a filler must be one visible message', () => {
	for (const filler of ['', ' ', 'a::next::b']) expect(() => snatchbotJsonApi.create({ filler })).toThrow()
})
