/** The options of BotDistrikt. */
import * as v from 'valibot'
import { NonEmpty, reservedKeys } from '../../src/format/index.ts'

const Name = v.pipe(NonEmpty, v.notValues([...reservedKeys]))
const Names = v.union([Name, v.pipe(v.array(Name), v.nonEmpty())])

export const Options = v.pipe(
	v.strictObject({
		/** The method with which a backend is called. A platform's call may have either. */
		method: v.optional(v.picklist(['GET', 'POST']), 'POST'),
		/** The query params with the user's words: the first one with a value is decoded, and the first one of all is encoded. */
		text: v.optional(Names, ['msg', 'message', 'text', 'query', 'input']),
		/** The query params with the conversation's id. */
		session: v.optional(Names, ['session_id', 'session', 'conversation_id', 'conversation']),
		/** The query params with the user's id. */
		user: v.optional(Names, ['user_id', 'user']),
		/** Quick replies that an answer may have. The default is the builder's limit: https://docs.botdistrikt.com/overview/engagement */
		choices: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 10),
	}),
	v.check(({ text, session, user }) => {
		const names = [text, session, user].flat()
		return new Set(names).size === names.length
	}, 'text, session and user must be different query params'),
)
export type Options = v.InferOutput<typeof Options>
