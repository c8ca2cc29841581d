/** What a platform is answered when its turn failed. */
import type { GatewayError } from '../errors.ts'
import { fitReply } from '../fit/index.ts'
import { problemResponse, type WireResponse } from '../format/index.ts'
import type { TurnContext } from './context.ts'
import { pickByLanguage } from './localized-reply.ts'

/** The route's own words where the user can get them, else the platform's failure, else problem details. */
export function failureAnswer(turn: TurnContext, error: GatewayError): WireResponse {
	const { adapter } = turn.platform
	const { event, route } = turn
	try {
		const spare = pickByLanguage(route.failure, event?.language)
		const leg = event && adapter.reply(event)
		if (spare && leg) return leg.encode(fitReply(spare, leg, turn).value)
		return adapter.failure?.(event, error) ?? problemResponse(error, turn.turnId)
	} catch {
		// What failed the turn may fail its excuse too; the first error is the one to tell.
		return problemResponse(error, turn.turnId)
	}
}
