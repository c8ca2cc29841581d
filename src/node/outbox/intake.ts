/** Accepted events that wait for the next commit. Bounded: beyond its limits, events are refused. */
import { type ErrorCode, GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Delivery } from '../../runtime.ts'
import type { Entry } from './store.ts'

/** Events of one commit: later ones wait for the fsync of earlier ones. Their bytes are at most those of one event. */
const maxPerCommit = 1000

interface SizedEntry extends Entry {
	/** Bytes of the payload. */
	readonly bytes: number
}

interface WaitingEvent {
	readonly entry: SizedEntry
	/** Ends the wait: the event is stored, or refused with this code. */
	settle(refusal: ErrorCode | undefined): void
}

export interface Intake {
	readonly isEmpty: boolean
	/** Throws `event-too-large`. */
	entryOf(delivery: Delivery): SizedEntry
	/** Resolves when the event is stored. Rejects with `outbox-full`, or with the code that the event is settled with. */
	add(entry: SizedEntry): Promise<void>
	/** Takes the events of the next commit. */
	next(): readonly WaitingEvent[]
	/** Refuses everything that waits. */
	refuseAll(code: ErrorCode): void
}

/** `maxFileBytes` is the limit of the outbox's file. */
export function createIntake(maxFileBytes: number): Intake {
	const maxBytes = Math.min(limits.eventBytes.value, Math.floor(maxFileBytes / 8))
	let waiting: WaitingEvent[] = []
	let waitingBytes = 0

	return {
		get isEmpty() {
			return waiting.length === 0
		},
		entryOf(delivery) {
			// A text has at least as many bytes as units, and more as JSON: what is far too large is not even written as JSON.
			if (delivery.request.body.length > maxBytes) throw new GatewayError('event-too-large', { limit: maxBytes })
			const payload = JSON.stringify(delivery)
			const bytes = Buffer.byteLength(payload)
			if (bytes > maxBytes) throw new GatewayError('event-too-large', { limit: maxBytes })
			const { id, route, conversation } = delivery
			return { id, route, payload, bytes, ...(conversation !== undefined && { conversation }) }
		},
		async add(entry) {
			if (waiting.length >= limits.waitingEvents.value || waitingBytes + entry.bytes > limits.waitingBytes.value) {
				throw new GatewayError('outbox-full')
			}
			const { promise, resolve, reject } = Promise.withResolvers<void>()
			waiting.push({
				entry,
				settle: (refusal) => (refusal === undefined ? resolve() : reject(new GatewayError(refusal))),
			})
			waitingBytes += entry.bytes
			await promise
		},
		next() {
			let bytes = 0
			let count = 0
			for (const { entry } of waiting.slice(0, maxPerCommit)) {
				if (count > 0 && bytes + entry.bytes > maxBytes) break
				bytes += entry.bytes
				count++
			}
			const events = waiting.slice(0, count)
			waiting = waiting.slice(count)
			waitingBytes -= bytes
			return events
		},
		refuseAll(code) {
			for (const { settle } of waiting.splice(0)) settle(code)
			waitingBytes = 0
		},
	}
}
