/** ChatBot.com, version 1 of its webhooks: the old builder, known as BotEngine until 2018. */
import * as v from 'valibot'
import { defineAdapter } from '../../src/adapter.ts'
import { queryEcho, queryToken } from '../../src/auth.ts'
import { event, recognises } from './event.ts'
import { replyLeg } from './reply.ts'

const Options = v.strictObject({
	/** What becomes of a reply's user attributes, which the platform cannot write. */
	userAttributes: v.optional(v.picklist(['drop', 'session']), 'drop'),
})
export type Options = v.InferOutput<typeof Options>

/**
 * An interaction calls with what the user said and takes responses and parameters back. https://chatbot.com/docsv1/webhooks;
 * token and challenge: https://chatbot.com/help/webhooks/verification-request
 */
export const chatbotV1 = defineAdapter({
	name: 'chatbot-v1',
	options: Options,
	create(options) {
		const reply = replyLeg(options)
		return {
			methods: ['GET', 'POST'],
			event,
			reply: () => reply,
			deadline: 10_000,
			recognises,
			auth: queryToken('token'),
			...queryEcho('challenge'),
		}
	},
})
