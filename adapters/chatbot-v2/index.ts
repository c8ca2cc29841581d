/** ChatBot.com, version 2 of its webhooks: the Visual Builder. */
import * as v from 'valibot'
import { defineAdapter } from '../../src/adapter.ts'
import { queryEcho, queryToken } from '../../src/auth.ts'
import { hostileKeys } from '../../src/canonical.ts'
import { eventLeg, recognises } from './event.ts'
import { replyLeg } from './reply.ts'

const AttributeName = v.pipe(v.string(), v.nonEmpty(), v.notValues([...hostileKeys]))

const Options = v.pipe(
	v.strictObject({
		/** The attribute in which the story keeps the user's words. Absent: events have no text. */
		text: v.optional(AttributeName),
		/** The attribute in which the story says what it wants. Absent: triggers have no action. */
		action: v.optional(AttributeName),
		/** What becomes of a reply's user attributes, which the platform cannot write. */
		userAttributes: v.optional(v.picklist(['drop', 'session']), 'drop'),
	}),
	v.check(({ text, action }) => text === undefined || text !== action, 'text and action must be two attributes'),
)
export type Options = v.InferOutput<typeof Options>

/**
 * A webhook block of a story calls with all that is known of the chat and takes responses and attributes back.
 * https://www.chatbot.com/docs/webhooks/; token and challenge: https://chatbot.com/help/webhooks/verification-request
 */
export const chatbotV2 = defineAdapter({
	name: 'chatbot-v2',
	options: Options,
	create(options) {
		const reply = replyLeg(options)
		return {
			methods: ['GET', 'POST'],
			event: eventLeg(options),
			reply: () => reply,
			deadline: 10_000,
			recognises,
			auth: queryToken('token'),
			...queryEcho('challenge'),
		}
	},
})
