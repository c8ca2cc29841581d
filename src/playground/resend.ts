/** Sends an event once more, as its platform would, or says how to by `curl`. */
import * as v from 'valibot'
import type { Adapter } from '../format/index.ts'
import { CanonicalEvent } from '../model/index.ts'
import type { Route } from '../route.ts'
import { curlCommand, Refused, simulate } from '../simulator/index.ts'
import type { TalkingGateway } from './talk.ts'

/** An event, and on which route and platform to send it. */
export const ResendRequest = v.strictObject({ route: v.string(), platform: v.string(), event: CanonicalEvent })
export type ResendRequest = v.InferOutput<typeof ResendRequest>

/** Makes the call, with a new id, for a repeated one would be answered from memory. Undefined: there is no such platform. */
export async function resend(gateway: TalkingGateway, request: ResendRequest): Promise<string | undefined> {
	const place = placeOf(gateway, request)
	if (!place) return undefined
	const { id: _, ...event } = request.event
	const [secret] = place.route.secrets
	try {
		const { answer } = await simulate(place.adapter, {
			...gateway.runtime,
			event,
			url: gateway.url + place.route.path,
			...(secret !== undefined && { secret }),
			handshake: false,
		})
		return `Sent; answered with ${answer.status}.`
	} catch (thrown) {
		if (!(thrown instanceof Refused)) throw thrown
		return `Sent, but ${thrown.message}.`
	}
}

/** The command that makes the call. A secret of the route is not in it. */
export async function curlOf(gateway: TalkingGateway, request: ResendRequest): Promise<string | undefined> {
	const place = placeOf(gateway, request)
	if (!place) return undefined
	const { crypto, now } = gateway.runtime
	return await curlCommand(gateway.url, place.route, place.adapter, request.event, {
		crypto,
		now: new Date(now()).toISOString(),
	})
}

function placeOf(
	{ routes }: TalkingGateway,
	{ route: name, platform }: ResendRequest,
): { readonly route: Route; readonly adapter: Adapter } | undefined {
	const route = routes.find((each) => each.name === name)
	const adapter = route?.platforms.find((each) => each.name === platform)?.adapter
	return route && adapter && { route, adapter }
}
