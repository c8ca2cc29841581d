/** The deliveries in progress: how many more each route may have, and the outcome of each. */
import { type Accepted, attempt, type DeliveryContext, type Outcome } from '../../delivery/index.ts'
import type { WireResponse } from '../../format/index.ts'
import type { Delivery } from '../../runtime.ts'
import type { Claimed } from './claims.ts'
import type { StoredOutcome } from './stored-outcomes.ts'

export interface Deliveries {
	/** How many more events of each route may be claimed now. */
	room(): { readonly [route: string]: number }
	start(claimed: Claimed): void
	/** Takes over an event that is being sent to the upstream: `underWay` will be the answer. It takes none of the room. */
	takeOver(accepted: Accepted, underWay: Promise<WireResponse>): void
	/** Waits until none is in progress, for this many milliseconds at most. */
	idle(milliseconds: number): Promise<void>
}

export interface DeliveriesOptions extends DeliveryContext {
	/** Of each route. */
	readonly concurrency: number
	/** Bytes that the pushes of one reply may have. */
	readonly maxBytes: number
	/** Is called when a delivery has ended. No outcome: the store knows it already. */
	onEnd(outcome: StoredOutcome | undefined): void
}

export function createDeliveries({ concurrency, maxBytes, onEnd, ...context }: DeliveriesOptions): Deliveries {
	const { routes, runtime, clock } = context
	/** Routes of the deliveries in progress, by the event's id. */
	const inProgress = new Map<string, string>()
	/** The ids of the events that were taken over. */
	const takenOver = new Set<string>()
	/** When routes may be tried again whose upstream takes no calls for the moment. */
	const postponedUntil = new Map<string, number>()
	let onIdle = () => {}

	async function deliver(accepted: Accepted, underWay?: Promise<WireResponse>): Promise<StoredOutcome> {
		const { route } = accepted.delivery
		const outcome = await attempt(accepted, context, underWay)
		if (outcome.result === 'postponed') postponedUntil.set(route, outcome.until)
		return stored(accepted.delivery, outcome)
	}

	function stored({ id, route, ...delivery }: Delivery, outcome: Outcome): StoredOutcome {
		if (outcome.result !== 'delivered' && outcome.result !== 'dead')
			return { id, ...outcome, ...('call' in delivery && { keepsOrder: true }) }
		const { pushes: planned, ...ended } = outcome
		if (!planned) return { id, ...ended }
		const pushes = planned.map((push) => ({ id: push.id, payload: JSON.stringify(push) }))
		const bytes = pushes.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), 0)
		if (bytes <= maxBytes) return { id, ...ended, pushes }
		runtime.log({ level: 'error', msg: 'delivery', turn: id, route, error: 'event-too-large', dead: true })
		return { id, result: 'dead', error: 'event-too-large' }
	}

	function ended(outcome: StoredOutcome | undefined): void {
		onEnd(outcome)
		if (inProgress.size + takenOver.size === 0) onIdle()
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
		start({ id, route, payload, ...history }) {
			if (payload === undefined) {
				const line = { msg: 'delivery', turn: id, route, attempt: history.failed + 1, error: 'outbox-failed' }
				runtime.log({ ...line, level: 'error', dead: true })
				return ended(undefined)
			}
			inProgress.set(id, route)
			deliver({ delivery: JSON.parse(payload), ...history }).then((outcome) => {
				inProgress.delete(id)
				ended(outcome)
			})
		},
		takeOver(accepted, underWay) {
			const { id } = accepted.delivery
			takenOver.add(id)
			deliver(accepted, underWay).then((outcome) => {
				takenOver.delete(id)
				ended(outcome)
			})
		},
		async idle(milliseconds) {
			if (inProgress.size + takenOver.size === 0) return
			const idle = Promise.withResolvers<void>()
			const cancel = clock.after(milliseconds, idle.resolve)
			onIdle = idle.resolve
			await idle.promise
			cancel()
		},
	}
}
