/** BotDistrikt: the webhooks that a bot's stories call. */
import { defineAdapter } from '../../src/format/index.ts'
import { eventLeg } from './event.ts'
import { Options } from './options.ts'
import { replyLeg } from './reply.ts'

/**
 * A story calls with the query params that its author set, and takes responses, attributes and quick replies back.
 * https://docs.botdistrikt.com/features/responses/webhooks
 */
export const botdistrikt = defineAdapter({
	name: 'botdistrikt',
	options: Options,
	examples: [
		{ session: 'session', user: 'user' },
		{},
		{ method: 'GET', text: 'question', session: ['sid', 'chat'], user: 'uid', choices: 3 },
	],
	create(options) {
		const reply = replyLeg(options)
		return { methods: ['GET', 'POST'], event: eventLeg(options), reply: () => reply }
	},
})
