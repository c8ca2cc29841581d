/** The options of BotDistrikt. */
import * as v from 'valibot'
import { reservedKeys } from '../../src/format/index.ts'

const Name = v.pipe(v.string(), v.nonEmpty(), v.notValues([...reservedKeys]))
const Names = v.union([Name, v.pipe(v.array(Name), v.nonEmpty())])

export const Options = v.pipe(
	v.strictObject({
		/** How the webhook is called where a backend speaks this format; a platform's call is read either way. */
		method: v.optional(v.picklist(['GET', 'POST']), 'POST'),
		/** The query param with the user's words. Of several the first that says something is read, the first is written. */
		text: v.optional(Names, ['msg', 'message', 'text', 'query', 'input']),
		/** The query param with the conversation's id. */
		session: v.optional(Names, ['session_id', 'session', 'conversation_id', 'conversation']),
		/** The query param with the user's id. */
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
