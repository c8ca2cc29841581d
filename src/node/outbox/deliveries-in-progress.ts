/** The deliveries in progress: how many more each route may have, and the outcome of each. */
import { attempt, type DeliveryContext } from '../../delivery/index.ts'
import type { Claimed } from './claims.ts'
import type { StoredOutcome } from './stored-outcomes.ts'

export interface Deliveries {
	/** How many more events of each route may be claimed now. */
	room(): { readonly [route: string]: number }
	start(claimed: Claimed): void
	/** Waits until none is in progress, for this many milliseconds at most. */
	idle(milliseconds: number): Promise<void>
}

export interface DeliveriesOptions extends DeliveryContext {
	/** Of each route. */
	readonly concurrency: number
	/** Is called when a delivery has ended. No outcome: the store knows it already. */
	onEnd(outcome: StoredOutcome | undefined): void
}

export function createDeliveries({ concurrency, onEnd, ...context }: DeliveriesOptions): Deliveries {
	const { routes, runtime, clock } = context
	/** Routes of the deliveries in progress, by the event's id. */
	const inProgress = new Map<string, string>()
	/** When routes may be tried again whose upstream takes no calls for the moment. */
	const postponedUntil = new Map<string, number>()
	let onIdle = () => {}

	async function deliver({ id, route, payload, failed, acceptedAt }: Claimed): Promise<StoredOutcome | undefined> {
		if (payload === undefined) {
			const line = { msg: 'delivery', turn: id, route, attempt: failed + 1, error: 'outbox-failed' }
			runtime.log({ ...line, level: 'error', dead: true })
			return undefined
		}
		const outcome = await attempt({ delivery: JSON.parse(payload), failed, acceptedAt }, context)
		if (outcome.result === 'postponed') postponedUntil.set(route, outcome.until)
		return { id, ...outcome }
	}

	return {
		room() {
			const room: { [route: string]: number } = {}
			const now = clock.now()
			for (const { name } of routes()) {
				// Otherwise every due event of the route would be claimed, only to be postponed.
				if ((postponedUntil.get(name) ?? 0) <= now) room[name] = concurrency
			}
			for (const name of inProgress.values()) if (room[name] !== undefined) room[name]--
			return room
		},
		start(claimed) {
			inProgress.set(claimed.id, claimed.route)
			deliver(claimed).then((outcome) => {
				inProgress.delete(claimed.id)
				onEnd(outcome)
				if (inProgress.size === 0) onIdle()
			})
		},
		async idle(milliseconds) {
			if (inProgress.size === 0) return
			const idle = Promise.withResolvers<void>()
			const cancel = clock.after(milliseconds, idle.resolve)
			onIdle = idle.resolve
			await idle.promise
			cancel()
		},
	}
}
