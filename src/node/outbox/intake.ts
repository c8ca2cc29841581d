/** Accepted events that wait for the next commit. Bounded: beyond its limits, events are refused. */
import { type ErrorCode, GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Deliveries, Delivery } from '../../runtime.ts'
import type { Entry } from './store.ts'

/** Events of one commit: later ones wait for the fsync of earlier ones. Their bytes are at most those of one event. */
const maxPerCommit = 1000

interface SizedEntry extends Entry {
	/** Bytes of the payloads. */
	readonly bytes: number
}

interface Waiting {
	readonly entry: SizedEntry
	/** Ends the wait: the event is stored, or refused with this code. */
	settle(refusal: ErrorCode | undefined): void
}

export interface Intake {
	/** How many wait. */
	readonly count: number
	/** Throws `event-too-large`. */
	entryOf(deliveries: Deliveries, underWay: boolean): SizedEntry
	/** Resolves when the event is stored. Rejects with `outbox-full`, or with the code that the event is settled with. */
	add(entry: SizedEntry): Promise<void>
	/** Takes the events of the next commit. */
	next(): readonly Waiting[]
	/** Refuses everything that waits. */
	refuseAll(code: ErrorCode): void
}

/** Bytes of what is stored together, by the limit of the outbox's file. */
export function mostBytes(maxFileBytes: number): number {
	return Math.min(limits.eventBytes.value, Math.floor(maxFileBytes / 8))
}

/** `maxFileBytes` is the limit of the outbox's file. */
export function createIntake(maxFileBytes: number): Intake {
	const maxBytes = mostBytes(maxFileBytes)
	let waiting: Waiting[] = []
	let waitingBytes = 0

	return {
		get count() {
			return waiting.length
		},
		entryOf(deliveries, underWay) {
			const tooLarge = () => new GatewayError('event-too-large', { limit: maxBytes })
			// A text has at least as many bytes as units, and more as JSON: what is far too large is not even written as JSON.
			if (deliveries.some((delivery) => bodyOf(delivery).length > maxBytes)) throw tooLarge()
			const rows = deliveries.map((delivery) => ({ id: delivery.id, payload: JSON.stringify(delivery) }))
			const bytes = rows.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), 0)
			if (bytes > maxBytes) throw tooLarge()
			const [{ route, conversation }] = deliveries
			const kept = { ...(conversation !== undefined && { conversation }), ...(underWay && { underWay }) }
			return { route, rows, bytes, ...kept }
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

function bodyOf(delivery: Delivery): string {
	return 'call' in delivery ? delivery.call.body : delivery.request.body
}
