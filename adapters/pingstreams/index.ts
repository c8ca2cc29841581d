/** Pingstreams, a build of Tiledesk: webhooks of bots, external bots, and subscriptions to a project's events. */
import { type Adapter, bodyMatches, defineAdapter, jsonResponse } from '../../src/format/index.ts'
import { hookSecret, tokenSignature } from './auth.ts'
import { dialectOf, formOf, name, readsAnswers } from './dialect.ts'
import { eventLeg } from './event/index.ts'
import { Options } from './options.ts'
import { pushTo } from './push/index.ts'
import { replyLegs } from './reply/index.ts'
import { simulated } from './simulated.ts'

const proofs = { path: {}, token: { auth: tokenSignature }, 'hook-secret': { auth: hookSecret } } as const

/** An intent's webhook shows the answer to the user; external bots and subscriptions only report what happened. */
export const pingstreams = defineAdapter({
	name,
	options: Options,
	examples: [
		{},
		{ dialect: 'server', proof: 'token' },
		{ dialect: 'server', silence: 'Hm.', caption: 'File' },
		{ dialect: 'external', proof: 'token', api: 'https://api.pingstreams.com/v3' },
		{ dialect: 'subscription', proof: 'hook-secret' },
	],
	create(options): Adapter {
		const replyLeg = replyLegs(options)
		return {
			methods: ['POST'],
			event: eventLeg(options),
			reply(event) {
				const dialect = dialectOf(event, options.dialect)
				if (!readsAnswers(dialect)) return undefined
				return replyLeg({ dialect, home: event.trigger?.name, channel: event.channel })
			},
			// The variables of a flow hold the whole talk so far. With more, a single call would keep all others waiting.
			maxBody: 2 * 1024 * 1024,
			recognises: (call) => bodyMatches(call, (body) => formOf(body) !== undefined),
			...proofs[options.proof],
			simulated,
			...(options.api !== undefined && { push: pushTo(options.api, options) }),
			failure(event, error) {
				const isAnswered = event === undefined || readsAnswers(dialectOf(event, options.dialect))
				const status = error.status < 500 ? error.status : isAnswered ? failedStatus : retriedStatus
				return jsonResponse({ ...error.problem(), status }, status)
			},
		}
	},
})

/** Where the answer is read: the platform shows the static reply at once. It would repeat the call twice after a 5xx. */
const failedStatus = 424
/** Where no answer is read: the platform repeats the call twice, after two and four seconds. */
const retriedStatus = 503
