/** Decodes calls and answers with an adapter, and refuses what the model does not allow. */
import { GatewayError } from '../errors.ts'
import {
	type Adapter,
	type Decoded,
	fieldPath,
	joinMistakes,
	type ReplyLeg,
	type WireRequest,
	type WireResponse,
} from '../format/index.ts'
import {
	type CanonicalEvent,
	type CanonicalReply,
	excessOfEvent,
	excessOfReply,
	relativeAddressesOf,
} from '../model/index.ts'

/** The event of a platform's call. Throws what the adapter throws, and `field-invalid`. */
export function decodeEvent(adapter: Adapter, call: WireRequest): Decoded<CanonicalEvent> {
	const decoded = adapter.event.decode(call)
	refuse(excessOfEvent(decoded.model))
	return decoded
}

/** The reply in an upstream's answer. Throws `upstream-reply-invalid`. */
export function decodeReply(leg: ReplyLeg, response: WireResponse): Decoded<CanonicalReply> {
	try {
		return decodePostedReply(leg, response)
	} catch (thrown) {
		if (!(thrown instanceof GatewayError)) throw thrown
		const { code, context } = thrown
		throw new GatewayError('upstream-reply-invalid', { ...context, because: code }, { cause: thrown })
	}
}

/** The reply that an upstream sent by itself. Throws what the adapter throws, and `field-invalid`. */
export function decodePostedReply(leg: ReplyLeg, sent: WireResponse): Decoded<CanonicalReply> {
	try {
		const decoded = leg.decode(sent)
		refuse(excessOfReply(decoded.model))
		// Other formats have addresses of their own, which fit names where a platform cannot open them.
		if (leg.carries['reply.overrides']) refuseRelativeAddresses(decoded.model)
		return decoded
	} catch (thrown) {
		if (!(thrown instanceof GatewayError) || thrown.code !== 'body-not-json') throw thrown
		const where = { field: 'body', expected: describeJson(sent.body) }
		throw new GatewayError(thrown.code, { ...where, ...thrown.context }, { cause: thrown })
	}
}

function describeJson(body: string): string {
	return /^\s*</.test(body) ? 'JSON; this looks like HTML or XML' : 'JSON'
}

function refuse(excess: ReturnType<typeof excessOfReply>): void {
	if (excess) throw new GatewayError('field-invalid', { ...excess })
}

function refuseRelativeAddresses(reply: CanonicalReply): void {
	const found = relativeAddressesOf(reply)
	if (found.length === 0) return
	throw joinMistakes(
		found.map(({ path, expected }) => new GatewayError('field-invalid', { field: fieldPath(path), expected })),
	)
}
