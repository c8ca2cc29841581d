/** ChatBot.com, version 2 of its webhooks: the Visual Builder. */
import { defineAdapter } from '../../src/format/index.ts'
import { webhook } from '../chatbot/webhook.ts'
import { eventLeg, recognises } from './event.ts'
import { Options } from './options.ts'
import { replyLeg } from './reply.ts'

/**
 * A webhook block of a story calls with all that is known of the chat and takes responses and attributes back.
 * https://www.chatbot.com/docs/webhooks/
 */
export const chatbotV2 = defineAdapter({
	name: 'chatbot-v2',
	options: Options,
	examples: [
		{ text: 'question', action: 'action' },
		{},
		{ text: 'question', action: 'action', userAttributes: 'session' },
	],
	create(options) {
		const reply = replyLeg(options)
		return { ...webhook, event: eventLeg(options), reply: () => reply, recognises }
	},
})
