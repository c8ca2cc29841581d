/** What a platform is answered when its turn failed. */
import { problemResponse, type WireResponse } from './codec.ts'
import type { GatewayError } from './errors.ts'
import { fitReply } from './fit/index.ts'
import type { Route } from './route.ts'
import type { TurnInHand } from './turn.ts'

/** The route's own words where the user can get them, else the platform's failure, else problem details. */
export function apologise(turn: TurnInHand, error: GatewayError): WireResponse {
	const { adapter } = turn.platform
	const { event, route } = turn
	try {
		const spare = inLanguage(route.failure, event?.language)
		const leg = event && adapter.reply(event)
		if (spare && leg) return leg.encode(fitReply(spare.reply, leg, turn).value)
		return adapter.failure?.(event, error) ?? problemResponse(error, turn.turn)
	} catch {
		// What failed the turn may fail its excuse too; the first error is the one to tell.
		return problemResponse(error, turn.turn)
	}
}

/** The reply in the language of the event: the same tag, else the same primary language, else the first. */
function inLanguage(replies: Route['failure'], language = ''): Route['failure'][number] | undefined {
	const primary = language.split('-')[0]
	return (
		replies.find((each) => each.language === language) ??
		replies.find((each) => each.language === primary) ??
		replies[0]
	)
}
