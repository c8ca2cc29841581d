/** ChatBot.com, version 1 of its webhooks: the old builder, known as BotEngine until 2018. */
import { defineAdapter, echoChallenge, queryToken } from '../../src/format/index.ts'
import { event, recognises } from './event.ts'
import { limits } from './limits.ts'
import { Options } from './options.ts'
import { replyLeg } from './reply.ts'

/**
 * An interaction calls with what the user said and takes responses and parameters back. https://chatbot.com/docsv1/webhooks;
 * token and challenge: https://chatbot.com/help/webhooks/verification-request
 */
export const chatbotV1 = defineAdapter({
	name: 'chatbot-v1',
	options: Options,
	examples: [{}, { userAttributes: 'session' }],
	limits,
	create(options) {
		const reply = replyLeg(options)
		return {
			methods: ['GET', 'POST'],
			event,
			reply: () => reply,
			deadline: 10_000,
			recognises,
			auth: queryToken('token'),
			...echoChallenge('challenge'),
		}
	},
})
