/** Shows an observer one attempt to deliver. */
import type { ErrorCode } from '../errors.ts'
import { type DeliveryOutcome, type ObserveCall, observeCalls, shield } from '../observer/index.ts'
import type { Delivery, Runtime } from '../runtime.ts'
import type { History } from './schedule.ts'

/** What an attempt tells of itself. None of it throws. */
export interface DeliveryObservation {
	/** Undefined: calls to the upstream are not observed. */
	readonly call: ObserveCall | undefined
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
			end: (result, error) => safely(() => seeing.end?.({ result, error, ms: elapsed() - startedAt })),
		}
	)
}
