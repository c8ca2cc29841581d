/** ChatBot.com, version 1 of its webhooks: the old builder, known as BotEngine until 2018. */
import { defineAdapter } from '../../src/format/index.ts'
import { webhook } from '../chatbot/webhook.ts'
import { event, recognises } from './event.ts'
import { Options } from './options.ts'
import { replyLeg } from './reply.ts'

/**
 * An interaction calls with what the user said and takes responses and parameters back. https://chatbot.com/docsv1/webhooks
 */
export const chatbotV1 = defineAdapter({
	name: 'chatbot-v1',
	options: Options,
	examples: [{}, { userAttributes: 'session' }],
	create(options) {
		const reply = replyLeg(options)
		return { ...webhook, event, reply: () => reply, recognises }
	},
})
