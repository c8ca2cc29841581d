/** The strict policy: what must be changed to fit is refused. */
import { GatewayError } from '../errors.ts'
import { type FitContext, fitReply } from '../fit/index.ts'
import type { ReplyLeg } from '../format/index.ts'
import type { CanonicalReply, Change } from '../model/index.ts'
import type { Route } from '../route.ts'
import { isLoss, lossesFirst } from './losses.ts'

/** Changes that a refusal names. */
const maxNamed = 20

/** Whether a route refuses what has lost this. */
export function isRefused({ policy }: Route, lost: readonly Change[]): boolean {
	return policy === 'strict' && lost.some(isLoss)
}

/** Throws the code on a strict route when something was lost or altered. */
export function refuseLosses(
	{ policy }: Route,
	code: 'event-does-not-fit' | 'reply-does-not-fit',
	changes: readonly Change[],
): void {
	const refused = policy === 'strict' ? lossesFirst(changes.filter(isLoss)) : []
	if (refused.length === 0) return
	const named = refused.slice(0, maxNamed).map(({ did, path }) => `${did} ${path}`)
	const more = refused.length - named.length
	throw new GatewayError(code, { changes: more > 0 ? [...named, `and ${more} more`] : named })
}

/** Whether a reply, with what it has lost already, would pass on its route. */
export function mayPass(
	route: Route,
	reply: CanonicalReply,
	lost: readonly Change[],
	leg: ReplyLeg,
	context: FitContext,
): boolean {
	return route.policy !== 'strict' || !isRefused(route, [...lost, ...fitReply(reply, leg, context).changes])
}
