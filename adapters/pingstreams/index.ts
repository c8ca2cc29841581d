/** Pingstreams, which is made of Tiledesk: webhooks of bots, external bots, and subscriptions to a project's events. */
import * as v from 'valibot'
import { type Adapter, defineAdapter } from '../../src/adapter.ts'
import { jsonResponse, readJsonBody } from '../../src/codec.ts'
import { Dialect, dialectOf, formOf, name, readsAnswers } from './dialect.ts'
import { eventLeg } from './event.ts'
import { markupOf } from './markup.ts'
import { replyLegs } from './reply.ts'
import { hookSecret, tokenSignature } from './token.ts'

const markup = new RegExp(markupOf('runtime'), 'mu')
const Words = v.pipe(
	v.string(),
	v.regex(/\S/u, 'must not be blank'),
	v.check((text) => !markup.test(text), 'must be without markup'),
)

const Options = v.strictObject({
	/** The dialect in which an upstream is addressed, and the usual one of a platform, which its events need not name. */
	dialect: v.optional(Dialect, 'runtime'),
	/** How a call proves its origin: a secret in the path, the signature of its token, or a subscription's header. */
	proof: v.optional(v.picklist(['path', 'token', 'hook-secret']), 'path'),
	/** The words of a picture, a file or a carousel that has none: the platform shows nothing without words. */
	caption: v.optional(Words, '…'),
	/** What the older engine says when a reply says nothing. Absent: the static reply. */
	silence: v.optional(Words),
})
export type Options = v.InferOutput<typeof Options>

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
