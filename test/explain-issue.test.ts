/** What an error says was expected: words, and nothing of how the schema is built. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { GatewayError } from '../src/errors.ts'
import { validate, WireAttributes } from '../src/format/index.ts'
import { Button, CanonicalEvent, Choice, Message } from '../src/model/index.ts'

const canary = 'canary-of-a-value'

/** Code, field and expectation of the error. */
function errorOf(schema: v.GenericSchema, value: unknown): string[] {
	try {
		validate(schema, value)
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { title, field = '', expected = '' } = thrown.problem()
		return [title, field, expected]
	}
	return []
}

const Id = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
const Said = v.pipe(v.string(), v.nonEmpty())
const Call = v.object({
	id: v.pipe(Id, v.nonEmpty()),
	name: v.nullish(v.string()),
	list: v.nullish(v.pipe(v.array(v.object({ text: Said })), v.nonEmpty())),
	attributes: WireAttributes,
	size: v.optional(v.picklist(['compact', 'tall', 'full'])),
	count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(3))),
	short: v.optional(v.pipe(v.string(), v.maxLength(3))),
	button: v.optional(Button),
	mood: v.optional(v.custom<string>(() => false)),
})
const call = { id: 'a' }
const event = { kind: 'start', attributes: {} }
const types = '"text", "image", "video", "audio", "file", "choices" or "cards"'
const noHostile = 'an object of JSON values without reserved keys'

test.each<[code: string, field: string, expected: string, schema: v.GenericSchema, value: unknown]>([
	['field-missing', 'id', 'a string or a number', Call, {}],
	['field-invalid', 'id', 'at least one character', Call, { id: '' }],
	['field-invalid', 'id', 'a string or a number', Call, { id: true }],
	['field-invalid', 'name', 'a string', Call, { ...call, name: 5 }],
	['field-invalid', 'list', 'at least one item', Call, { ...call, list: [] }],
	['field-invalid', 'list', 'a list', Call, { ...call, list: {} }],
	['field-missing', 'list[1].text', 'a string', Call, { ...call, list: [{ text: 'a' }, {}] }],
	['field-invalid', 'attributes', 'an object', Call, { ...call, attributes: canary }],
	['field-invalid', 'size', '"compact", "tall" or "full"', Call, { ...call, size: canary }],
	['field-invalid', 'count', 'a whole number', Call, { ...call, count: 3.5 }],
	['field-invalid', 'count', 'at least 3', Call, { ...call, count: 1 }],
	['field-invalid', 'short', 'at most 3 characters', Call, { ...call, short: canary }],
	['field-invalid', 'mood', '', Call, { ...call, mood: canary }],
	['field-invalid', '(the whole body)', 'an object', Call, canary],
	['field-invalid', '(the whole body)', 'an object', v.object({}), [canary]],
	['field-missing', 'button.url', 'a string', Call, { ...call, button: { type: 'link', title: 'a' } }],
	['field-invalid', 'mood', 'no such field', Message, { type: 'text', text: 'a', mood: canary }],
	['field-missing', 'type', types, Message, { text: canary }],
	['field-invalid', '(the whole body)', 'value: a string, or target: a string', Choice, { title: 'a' }],
	['field-missing', 'kind', '"message", "choice", "start" or "notice"', CanonicalEvent, {}],
	['field-invalid', 'attributes', noHostile, CanonicalEvent, { ...event, attributes: [] }],
	[
		'field-invalid',
		'occurredAt',
		'a time such as 2025-01-31T12:00:00Z',
		CanonicalEvent,
		{ ...event, occurredAt: canary },
	],
	['field-invalid', 'bot', 'at least one member', CanonicalEvent, { ...event, bot: {} }],
])('%s: %s, expected %s', (code, field, expected, schema, value) => {
	expect(errorOf(schema, value)).toEqual([code, field, expected])
})

test('a picklist with a fallback is not inspected', () => {
	const schema = v.object({ size: v.fallback(v.picklist(['small', 'large']), 'small') })
	expect(validate(schema, { size: { height: 3 } })).toEqual({ wire: { size: 'small' }, unread: [] })
})
