/** SnatchBot's JSON API interaction: a step of a bot that asks a server what to say. */
import * as v from 'valibot'
import { defineAdapter } from '../../src/adapter.ts'
import { event, isSetUp } from './event.ts'
import { isAnswer, marker, replyLeg, setUpAnswer } from './reply.ts'

const Options = v.strictObject({
	/** What the bot says where a reply has no text of its own, which the platform does not allow. */
	filler: v.optional(
		v.pipe(
			v.string(),
			v.regex(/\S/),
			v.check((text) => !text.includes(marker), `must be one message, without "${marker}"`),
		),
		'…',
	),
})
export type Options = v.InferOutput<typeof Options>

/**
 * An interaction calls with what the user said and shows the answer; for any status but 200 it shows the error text of
 * its own settings. https://support.snatchbot.me/docs/json-api
 */
export const snatchbotJsonApi = defineAdapter({
	name: 'snatchbot-json-api',
	options: Options,
	create: (options) => ({
		methods: ['GET', 'HEAD', 'POST'],
		event,
		reply: (to) => replyLeg(options, to),
		challenge: (call) => (isSetUp(call) ? setUpAnswer(options) : undefined),
		handshake: () => ({ call: { method: 'GET', query: [], headers: [], body: '' }, accepts: isAnswer }),
	}),
})
