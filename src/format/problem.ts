/** Writes errors as RFC 9457 problem details. */
import type { GatewayError } from '../errors.ts'
import type { WireResponse } from './wire.ts'

/** The response for an error: RFC 9457 problem details, not cacheable. `turn` is the turn's id. */
export function problemResponse(error: GatewayError, turn?: string): WireResponse {
	return {
		status: error.status,
		headers: [
			['content-type', 'application/problem+json'],
			['cache-control', 'no-store'],
			...(error.context.allowed ? [['allow', error.context.allowed.join(', ')] as const] : []),
			...(error.context.retryAfter ? [['retry-after', String(error.context.retryAfter)] as const] : []),
		],
		body: JSON.stringify(error.problem(turn)),
	}
}
