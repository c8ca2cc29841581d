/** Decodes calls and answers with an adapter, and refuses what is over the limits of the model. */
import { GatewayError } from '../errors.ts'
import type { Adapter, Decoded, ReplyLeg, WireRequest, WireResponse } from '../format/index.ts'
import { type CanonicalEvent, type CanonicalReply, type Excess, excessOfEvent, excessOfReply } from '../model/index.ts'

/** The event of a platform's call. Throws what the adapter throws, and `field-invalid`. */
export function decodeEvent(adapter: Adapter, call: WireRequest): Decoded<CanonicalEvent> {
	const decoded = adapter.event.decode(call)
	refuse(excessOfEvent(decoded.model))
	return decoded
}

/** The reply in an upstream's answer. Throws `upstream-reply-invalid`. */
export function decodeReply(leg: ReplyLeg, response: WireResponse): Decoded<CanonicalReply> {
	try {
		const decoded = leg.decode(response)
		refuse(excessOfReply(decoded.model))
		return decoded
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { code, context } = thrown
		const where = code === 'body-not-json' ? { field: 'body', expected: describeJson(response.body) } : {}
		throw new GatewayError('upstream-reply-invalid', { ...where, ...context, because: code }, { cause: thrown })
	}
}

function describeJson(body: string): string {
	return /^\s*</.test(body) ? 'JSON; this looks like HTML or XML' : 'JSON'
}

function refuse(excess: Excess | undefined): void {
	if (excess) throw new GatewayError('field-invalid', { ...excess })
}
