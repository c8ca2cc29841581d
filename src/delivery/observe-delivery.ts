/** Shows an observer one attempt to deliver. */
import type { ErrorCode } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import { type DeliveryOutcome, type ObserveCall, observeCalls, shield } from '../observer/index.ts'
import type { Route } from '../route.ts'
import type { Delivery, PushDelivery, Runtime } from '../runtime.ts'
import { stepsOfPush } from '../turn/index.ts'
import type { History } from './schedule.ts'

/** What an attempt tells of itself. None of it throws. */
export interface DeliveryObservation {
	/** Undefined: calls to the upstream are not observed. */
	readonly call: ObserveCall | undefined
	/** The upstream has answered an event, and its reply is planned as pushes. */
	pushed(route: Route, response: WireResponse, pushes: readonly PushDelivery[]): void
	end(result: DeliveryOutcome['result'], error?: ErrorCode): void
}

/** Begins to show an attempt. Undefined: the observer does not look at it. */
export function observeDelivery(
	{ delivery, failed }: Pick<History, 'failed'> & { readonly delivery: Delivery },
	{ observer, elapsed, log }: Pick<Runtime, 'observer' | 'elapsed' | 'log'>,
): DeliveryObservation | undefined {
	const safely = shield(log)
	const startedAt = elapsed()
	const { id, route, platform } = delivery
	const to = 'call' in delivery ? 'platform' : 'upstream'
	const seeing = safely(() => observer?.delivery?.({ id, route, platform, to, attempt: failed + 1 }))
	return (
		seeing && {
			call: observeCalls(seeing, safely),
			pushed(route, response, pushes) {
				if (!seeing.step) return
				const at = elapsed() - startedAt
				for (const step of stepsOfPush(route, response, pushes)) safely(() => seeing.step?.({ ...step, at }))
			},
			end: (result, error) => safely(() => seeing.end?.({ result, error, ms: elapsed() - startedAt })),
		}
	)
}
