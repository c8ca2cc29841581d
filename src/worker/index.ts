/** The gateway as a Cloudflare Worker: `npm run dev:worker`, `wrangler deploy`. */
import { problemResponse } from '../codec.ts'
import { ConfigError } from '../config/index.ts'
import type { Delivery } from '../delivery.ts'
import { asGatewayError } from '../errors.ts'
import type { Bindings } from './bindings.ts'
import { consume } from './delivering.ts'
import { gatewayOf } from './gateway.ts'
import { log } from './log.ts'

export { Conversation } from './conversation.ts'

export default {
	async fetch(request, bindings) {
		try {
			return await gatewayOf(bindings).app.fetch(request)
		} catch (thrown) {
			return refuse(thrown)
		}
	},
	async queue(batch, bindings) {
		await consume(batch, bindings)
	},
} satisfies ExportedHandler<Bindings, Delivery>

/** A gateway that is configured wrongly answers nothing but that it failed; its log says why. */
function refuse(thrown: unknown): Response {
	const error = asGatewayError(thrown)
	const mistakes = thrown instanceof ConfigError ? thrown.mistakes : undefined
	const cause = mistakes || !(thrown instanceof Error) ? undefined : thrown.stack
	log({ level: 'error', msg: mistakes ? 'config' : 'call', error: error.code, mistakes, cause })
	const { status, headers, body } = problemResponse(error)
	return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) })
}
