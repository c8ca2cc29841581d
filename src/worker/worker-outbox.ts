/** Accepts one-way events: into the Durable Object of their conversation or, without a conversation, into the queue. */
import { GatewayError } from '../errors.ts'
import type { Delivery, LogLine, Outbox } from '../runtime.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import type { Bindings } from './bindings.ts'
import { conversationStub } from './conversation-stub.ts'
import { historyBytes } from './queued-event.ts'

/** Milliseconds that the storage has to answer. */
const limit = 5000

/** Bytes of an event in the queue, which takes 128 kB with up to 100 bytes of its own and the event's history. */
const maxMessage = 127_900 - historyBytes
/** Bytes of an event in an object, whose storage takes rows of 2 MB. */
const maxRow = 1_900_000

const utf8 = new TextEncoder()

export function createOutbox(
	{ CONVERSATIONS, EVENTS }: Pick<Bindings, 'CONVERSATIONS' | 'EVENTS'>,
	log: (line: LogLine) => void,
): Outbox {
	return {
		async accept(delivery) {
			const { conversation } = delivery
			refuseOver(conversation === undefined ? maxMessage : maxRow, delivery)
			const stored = conversation === undefined ? queue(delivery) : keep(conversation, delivery)
			const failed = (cause: unknown): never => {
				const message = cause instanceof Error ? cause.message : undefined
				log({ level: 'error', msg: 'outbox', turn: delivery.id, cause: message })
				throw new GatewayError('outbox-failed', {}, { cause })
			}
			const full = await withTimeout(limit, stored).catch(failed)
			if (full === timedOut) failed(new Error(`no answer within ${limit} ms`))
			if (full) throw new GatewayError('outbox-full')
		},
	}

	async function queue(delivery: Delivery): Promise<boolean> {
		await EVENTS.send(delivery, { contentType: 'json' })
		return false
	}

	async function keep(conversation: string, delivery: Delivery): Promise<boolean> {
		const object = await conversationStub(CONVERSATIONS, conversation)
		return (await object.enqueue(JSON.stringify(delivery))) === 'full'
	}
}

function refuseOver(bytes: number, delivery: Delivery): void {
	if (utf8.encode(JSON.stringify(delivery)).byteLength > bytes)
		throw new GatewayError('event-too-large', { limit: bytes })
}
