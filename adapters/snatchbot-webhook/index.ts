/** SnatchBot's webhooks: a notice of each message that a bot sends or receives. */
import * as v from 'valibot'
import { defineAdapter, problemResponse, type WireRequest, type WireResponse } from '../../src/format/index.ts'
import { event } from './event.ts'

/** The platform asks for success only: https://support.snatchbot.me/reference/webhooks, "click the Verify button". */
const accepted: WireResponse = { status: 200, headers: [], body: '' }

/** It notifies and never reads an answer: https://support.snatchbot.me/reference/webhooks */
export const snatchbotWebhook = defineAdapter({
	name: 'snatchbot-webhook',
	options: v.strictObject({}),
	examples: [{}],
	create: () => ({
		methods: ['GET', 'HEAD', 'POST'],
		event,
		reply: () => undefined,
		challenge: (call) => (isSetUp(call) ? accepted : undefined),
		handshake: () => ({
			call: { method: 'GET', query: [], headers: [], body: '' },
			accepts: ({ status, body }) => status === accepted.status && body === accepted.body,
		}),
		failure(_event, error) {
			if (error.status < 500) return problemResponse(error)
			// One status for whatever is not the caller's fault: the notice was not taken, another time it may be.
			return { ...problemResponse(error), status: 503, body: JSON.stringify({ ...error.problem(), status: 503 }) }
		},
	}),
})

// How Verify calls is not documented. A notice is always a POST with a body.
function isSetUp({ method, body }: WireRequest): boolean {
	return method !== 'POST' || body.trim() === ''
}
