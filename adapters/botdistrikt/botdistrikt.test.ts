/** BotDistrikt under the laws and its fixtures; the limits are those that the platform documents. */
import { expect, test } from 'vitest'
import { testAdapter } from '../../test/adapter.ts'
import { botdistrikt } from './index.ts'
import { limits } from './limits.ts'

testAdapter(botdistrikt, { fixtures: new URL('./fixtures/', import.meta.url), limits })

test('a query param cannot mean two things', () => {
	expect(() => botdistrikt.create({ text: 'user' })).toThrow('text, session and user')
	expect(() => botdistrikt.create({ session: ['a', 'b', 'a'] })).toThrow('text, session and user')
	expect(() => botdistrikt.create({ user: '__proto__' })).toThrow()
})

test('the number of quick replies has the builder’s limit, unless an option changes it', () => {
	const carries = (options: unknown) =>
		botdistrikt.create(options).reply({ kind: 'message', attributes: {} })?.carries['reply.choices']
	expect(carries({})).toEqual({ items: 10 })
	expect(carries({ choices: 25 })).toEqual({ items: 25 })
	expect(() => carries({ choices: 0 })).toThrow()
})
