/** Pingstreams, which is made of Tiledesk: webhooks of bots, external bots, and subscriptions to a project's events. */
import { type Adapter, defineAdapter, jsonResponse, readJsonBody } from '../../src/format/index.ts'
import { dialectOf, formOf, name, readsAnswers } from './dialect.ts'
import { eventLeg } from './event.ts'
import { Options } from './options.ts'
import { replyLegs } from './reply.ts'
import { hookSecret, tokenSignature } from './token.ts'

const proofs = { path: {}, token: { auth: tokenSignature }, 'hook-secret': { auth: hookSecret } } as const

/** An intent with its webhook switched on calls with what was said and shows the answer; the others only tell what happened. */
export const pingstreams = defineAdapter({
	name,
	options: Options,
	create(options): Adapter {
		const replyLeg = replyLegs(options)
		return {
			methods: ['POST'],
			event: eventLeg(options),
			reply(event) {
				const dialect = dialectOf(event, options.dialect)
				return readsAnswers(dialect) ? replyLeg(dialect, event.trigger?.name) : undefined
			},
			// The variables of a flow hold the whole talk so far.
			maxBody: 8 * 1024 * 1024,
			recognises(call) {
				try {
					return formOf(readJsonBody(call)) !== undefined
				} catch {
					return false
				}
			},
			...proofs[options.proof],
			failure(event, error) {
				const awaited = event === undefined || readsAnswers(dialectOf(event, options.dialect))
				const status = error.status < 500 ? error.status : awaited ? failed : tryAgain
				return jsonResponse({ ...error.problem(), status }, status)
			},
		}
	},
})

/** Where an answer is read, the static reply is shown at once; 5xx would be sent again twice, and then it is shown. */
const failed = 424
/** Where none is read, the call comes again twice, two and four seconds later. */
const tryAgain = 503
