/** The gateway as a Cloudflare Worker: `npm run dev:worker`, `npm run build:worker`. */
import { GatewayError } from '../errors.ts'
import { problemResponse } from '../format/index.ts'
import { toResponse } from '../http/index.ts'
import { assembledGateway } from './assemble.ts'
import type { Bindings } from './bindings.ts'
import { consume } from './queue-consumer.ts'
import type { QueuedEvent } from './queued-event.ts'

export { Conversation } from './conversation.ts'

export default {
	async fetch(request, bindings) {
		return (await assembledGateway(bindings)?.app.fetch(request)) ?? unusableResponse()
	},
	async queue(batch, bindings) {
		await consume(batch, bindings)
	},
} satisfies ExportedHandler<Bindings, QueuedEvent>

/** The answer of a gateway whose configuration cannot be used: that it failed, and no more. Its log says why. */
function unusableResponse(): Response {
	return toResponse(problemResponse(new GatewayError('internal')))
}
