/** SnatchBot's JSON API interaction: a step of a bot that asks a server what to say. */
import { defineAdapter } from '../../src/format/index.ts'
import { event, isSetUp } from './event.ts'
import { Options } from './options.ts'
import { isAnswer, replyLeg, setUpAnswer } from './reply.ts'

/**
 * An interaction calls with what the user said and shows the answer; for any status but 200 it shows the error text of
 * its own settings. https://support.snatchbot.me/docs/json-api
 */
export const snatchbotJsonApi = defineAdapter({
	name: 'snatchbot-json-api',
	options: Options,
	examples: [{}, { filler: 'See below.' }],
	create: (options) => ({
		methods: ['GET', 'HEAD', 'POST'],
		event,
		reply: (to) => replyLeg(options, to),
		challenge: (call) => (isSetUp(call) ? setUpAnswer(options) : undefined),
		// For any other status, the error text of the interaction is shown.
		simulated: { reads: (status) => status === 200 },
		handshake: () => ({ call: { method: 'GET', query: [], headers: [], body: '' }, accepts: isAnswer }),
	}),
})
