/** An event in the queue. */
import type { History } from '../delivery/index.ts'
import type { EventDelivery } from '../runtime.ts'

/** A message of the queue never changes, so each attempt that is not the last is followed by a new message. */
export interface QueuedEvent extends EventDelivery {
	/** Absent: the event was never tried. */
	readonly history?: QueuedHistory
}

/** The attempts so far, and when the next one is due. */
export interface QueuedHistory extends History {
	/** When the next attempt is due, in milliseconds since 1970. */
	readonly due: number
}

/** Bytes that a history adds to an event, at most. */
export const historyBytes = 100
