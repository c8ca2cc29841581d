/** BotDistrikt under the laws and its fixtures; the limits are those that the platform documents. */
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { testAdapter } from '../../test/adapter.ts'
import { botdistrikt } from './index.ts'

// https://docs.botdistrikt.com/features/responses/webhooks. The value of a param or an attribute has no stated type.
const values = v.record(v.string(), v.unknown())
const said = v.pipe(v.string(), v.nonEmpty())

testAdapter(botdistrikt, {
	fixtures: new URL('./fixtures/', import.meta.url),
	options: [{}, { method: 'GET', text: 'question', session: ['sid', 'chat'], user: 'uid', choices: 3 }],
	limits: {
		event: values,
		reply: v.strictObject({
			// "should contain at least one of the following keys": this one is always there.
			responses: v.array(said),
			memory: v.optional(values),
			user_attributes: v.optional(values),
			// https://docs.botdistrikt.com/overview/engagement
			quickreplies: v.optional(v.pipe(v.array(said), v.nonEmpty(), v.maxLength(10))),
		}),
	},
})

test('a query param cannot mean two things', () => {
	expect(() => botdistrikt.create({ text: 'user' })).toThrow('text, session and user')
	expect(() => botdistrikt.create({ session: ['a', 'b', 'a'] })).toThrow('text, session and user')
	expect(() => botdistrikt.create({ user: '__proto__' })).toThrow()
})

test('the quick replies of an answer have the builder’s limit, unless an option says otherwise', () => {
	const carries = (options: unknown) =>
		botdistrikt.create(options).reply({ kind: 'message', attributes: {} })?.carries['reply.choices']
	expect(carries({})).toEqual({ items: 10 })
	expect(carries({ choices: 25 })).toEqual({ items: 25 })
	expect(() => carries({ choices: 0 })).toThrow()
})
