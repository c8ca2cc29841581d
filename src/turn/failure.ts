/** What a platform is answered when its turn failed. */
import type { GatewayError } from '../errors.ts'
import { fitReply } from '../fit/index.ts'
import { type NamedAdapter, problemResponse, type WireResponse } from '../format/index.ts'
import { fitContextOf, type Received, type TurnContext } from './context.ts'
import { pickByLanguage } from './localized-reply.ts'

/**
 * The route's own words where the user can get them, else the platform's failure, else problem details. `received` is
 * absent where the event was not decoded.
 */
export function failureAnswer(
	turn: TurnContext,
	{ platform, received }: { readonly platform: NamedAdapter; readonly received?: Received },
	error: GatewayError,
): WireResponse {
	const { adapter } = platform
	const { event, leg } = received ?? {}
	try {
		const spare = pickByLanguage(turn.route.failure, event?.language)
		if (spare && event && leg) return leg.encode(fitReply(spare, leg, fitContextOf(turn, event)).value)
		return adapter.failure?.(event, error) ?? problemResponse(error, turn.turnId)
	} catch {
		// Building the failure answer may fail as well; report the original error.
		return problemResponse(error, turn.turnId)
	}
}
