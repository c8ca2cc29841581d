/** SnatchBot's JSON API under the laws and its fixtures; the limits are those that the platform documents. */
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { type CanonicalEvent, type CanonicalReply, silence } from '../../src/canonical.ts'
import type { Fields } from '../../src/codec.ts'
import { fitReply } from '../../src/fit/index.ts'
import { testAdapter } from '../../test/adapter.ts'
import { snatchbotJsonApi } from './index.ts'

// https://support.snatchbot.me/docs/json-api. It gives no limits of length or number.
const said = v.pipe(v.string(), v.nonEmpty())
const digits = v.pipe(v.string(), v.regex(/^\d+$/))
const url = v.pipe(v.string(), v.url(), v.regex(/^\S+$/))
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.nonEmpty())

const buttons = list(
	v.variant('type', [
		v.strictObject({ type: v.literal('url'), value: url, name: said }),
		v.strictObject({ type: v.literal('module'), value: digits, name: said }),
	]),
)
const card = v.variant('type', [
	v.strictObject({ type: v.literal('text'), value: said, buttons: v.optional(buttons) }),
	v.strictObject({ type: v.literal('image'), value: url }),
	v.strictObject({
		type: v.literal('gallery'),
		value: v.literal('gallery'),
		gallery: list(
			v.strictObject({
				image: v.optional(url),
				heading: said,
				subtitle: v.optional(said),
				url: v.optional(url),
				buttons: v.optional(buttons),
			}),
		),
	}),
])
/** What an author wrote by hand, of a type that is not documented. */
const byHand = v.custom<unknown>(
	(value) =>
		!(typeof value === 'object' && value !== null && /"type":"(text|image|gallery)"/.test(JSON.stringify(value))),
)

testAdapter(snatchbotJsonApi, {
	fixtures: new URL('./fixtures/', import.meta.url),
	options: [{}, { filler: 'See below.' }],
	limits: {
		// "Mandatory fields in requests"; the others are the author's.
		event: v.objectWithRest(
			{
				bot_id: digits,
				user_id: said,
				module_id: digits,
				channel: v.optional(said),
				incoming_message: v.string(),
				session_id: v.optional(said),
			},
			v.string(),
		),
		reply: v.strictObject({
			user_id: said,
			bot_id: digits,
			module_id: digits,
			message: v.pipe(
				v.string(),
				v.check((text) => text.split('::next::').every((part) => /\S/.test(part)), 'cannot be empty'),
			),
			suggested_replies: v.optional(list(said)),
			blocked_input: v.optional(v.boolean()),
			cards: v.optional(list(v.union([card, byHand]))),
		}),
	},
})

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
		const said: CanonicalReply['messages'] = [
			{ type: 'text', text },
			{ type: 'text', text },
		]
		const { value } = fitReply({ ...silence, messages: said }, leg, { turn: 't', receivedAt: '2026-01-02T03:04:05Z' })
		const shown = leg.decode(leg.encode(value)).model.messages
		expect(shown.map((each) => 'text' in each && each.text?.replaceAll('\u2060', ''))).toEqual([text, text])
	},
)

test('a filler is one message that says something', () => {
	for (const filler of ['', ' ', 'a::next::b']) expect(() => snatchbotJsonApi.create({ filler })).toThrow()
})
