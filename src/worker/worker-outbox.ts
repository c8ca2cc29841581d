/** Accepts deliveries: into the Durable Object of their conversation or, without a conversation, into the queue. */
import type { Accepted, Outcome } from '../delivery/index.ts'
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import type { Deliveries, Delivery, LogLine, Outbox } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import type { Bindings } from './bindings.ts'
import { conversationStub, pauses } from './conversation-stub.ts'
import { historyBytes } from './queued-event.ts'

/** Milliseconds that the storage has to answer. */
const limit = 5000

/** Milliseconds for which a Worker may wait for a late answer: the platform gives it thirty seconds, and it stores the outcome. */
const lease = 35_000

/** Bytes of an event in the queue, which takes 128 kB with up to 100 bytes of its own and the event's history. */
const maxMessage = 127_900 - historyBytes
/** Bytes of a delivery in an object, whose storage takes rows of 2 MB. */
const maxRow = 1_900_000

const utf8 = new TextEncoder()

/** What the outbox needs of the Worker. */
export interface OutboxParts {
	log(line: LogLine): void
	/** Continues work after the answer has left. */
	background(work: Promise<void>): void
	/** Awaits the answer to an event that is being sent to the upstream. Never rejects. */
	attempt(accepted: Accepted, underWay: Promise<WireResponse>): Promise<Outcome>
}

/** An outbox with these bindings. What is stored is delivered by the object or the queue. */
export function createOutbox(
	{ CONVERSATIONS, EVENTS }: Pick<Bindings, 'CONVERSATIONS' | 'EVENTS'>,
	{ log, background, attempt }: OutboxParts,
): Outbox {
	return {
		async accept(deliveries, underWay) {
			const [delivery] = deliveries
			const { conversation } = delivery
			for (const each of deliveries) refuseOver(conversation === undefined ? maxMessage : maxRow, each)
			const stored = conversation === undefined ? queue(deliveries) : keep(conversation, deliveries, underWay && lease)
			const failed = (cause: unknown): never => {
				logFailure(delivery, cause)
				throw new GatewayError('outbox-failed', {}, { cause })
			}
			const full = await withTimeout(limit, stored).catch(failed)
			if (full === timedOut) failed(new Error(`no answer within ${limit} ms`))
			if (full) throw new GatewayError('outbox-full')
			if (underWay && conversation !== undefined) background(takeOver(conversation, delivery, underWay))
		},
	}

	async function queue(deliveries: Deliveries): Promise<boolean> {
		// Pushes have a conversation.
		for (const delivery of deliveries) {
			if ('request' in delivery) await EVENTS.send(delivery, { contentType: 'json' })
			else throw new GatewayError('internal')
		}
		return false
	}

	async function keep(conversation: string, deliveries: Deliveries, lease?: number): Promise<boolean> {
		const object = await conversationStub(CONVERSATIONS, conversation)
		const rows = deliveries.map((delivery) => JSON.stringify(delivery))
		return (await object.enqueue(rows, lease)) === 'full'
	}

	/** Stores what becomes of a late answer. If this Worker ends before, the object goes on when the lease is over. */
	async function takeOver(conversation: string, delivery: Delivery, underWay: Promise<WireResponse>): Promise<void> {
		const accepted = { delivery, failed: 0, acceptedAt: Date.now(), interrupted: false }
		const outcome = JSON.stringify(await attempt(accepted, underWay))
		await settle(conversation, delivery, outcome, pauses).catch((thrown) => logFailure(delivery, thrown))
	}

	async function settle(
		conversation: string,
		delivery: Delivery,
		outcome: string,
		[pause, ...later]: readonly number[],
	): Promise<void> {
		try {
			const object = await conversationStub(CONVERSATIONS, conversation)
			await object.settleDelivery(delivery.id, outcome)
		} catch (thrown) {
			if (pause === undefined) throw thrown
			await new Promise<void>((resume) => setTimeout(resume, pause))
			await settle(conversation, delivery, outcome, later)
		}
	}

	function logFailure({ id }: Delivery, thrown: unknown): void {
		const cause = thrown instanceof Error ? thrown.message : undefined
		log({ level: 'error', msg: 'outbox', turn: id, cause })
	}
}

function refuseOver(bytes: number, delivery: Delivery): void {
	if (utf8.encode(JSON.stringify(delivery)).byteLength > bytes)
		throw new GatewayError('event-too-large', { limit: bytes })
}
