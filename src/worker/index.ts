/** The gateway as a Cloudflare Worker: `npm run dev:worker`, `wrangler deploy`. */
import { ConfigError } from '../config/index.ts'
import { asGatewayError } from '../errors.ts'
import { problemResponse } from '../format/index.ts'
import type { Delivery } from '../runtime.ts'
import { assembledGateway } from './assemble.ts'
import { consume } from './attempt-delivery.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'

export { Conversation } from './conversation.ts'

export default {
	async fetch(request, bindings) {
		try {
			return await assembledGateway(bindings).app.fetch(request)
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
