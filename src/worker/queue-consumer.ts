/** Delivers the events of the queue, each of which stands alone. */
import type { Outcome } from '../delivery/index.ts'
import { timedOut, withTimeout } from '../timeout.ts'
import { attemptDelivery } from './attempt-delivery.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'
import type { QueuedEvent, QueuedHistory } from './queued-event.ts'

/** Seconds by which the queue delays a message, at most. */
const longestDelay = 43_200
/** Milliseconds for a queue to take a message. */
const limit = 5000

/** Delivers a batch of messages. Never rejects: the queue sends a message again when its outcome could not be stored. */
export async function consume({ messages }: MessageBatch<QueuedEvent>, bindings: Bindings): Promise<void> {
	await Promise.all(messages.map((message) => take(message, bindings)))
}

async function take(message: Message<QueuedEvent>, bindings: Bindings): Promise<void> {
	const { history = { failed: 0, acceptedAt: message.timestamp.getTime(), due: 0 }, ...delivery } = message.body
	// A wait that is longer than the queue's longest delay takes several messages.
	const outcome =
		history.due > Date.now() ? undefined : await attemptDelivery({ ...history, delivery, interrupted: false }, bindings)
	const next = historyAfter(history, outcome)
	try {
		if (next)
			await sendMessage(bindings.EVENTS, { ...delivery, history: next }, { delaySeconds: secondsUntil(next.due) })
		// Without its history, so that it has all attempts before it when it is put back as it is.
		if (outcome?.result === 'dead') await sendMessage(bindings.DEAD_EVENTS, delivery)
		// Only now: a Worker that ends in between leaves the event twice, and never not at all.
		message.ack()
	} catch (thrown) {
		const cause = thrown instanceof Error ? thrown.message : undefined
		log({ level: 'error', msg: 'outbox', turn: delivery.id, cause })
		message.retry(next && { delaySeconds: secondsUntil(next.due) })
	}
}

/** What the next message says; undefined when the event needs no other attempt. No outcome: nothing was tried. */
function historyAfter(history: QueuedHistory, outcome: Outcome | undefined): QueuedHistory | undefined {
	switch (outcome?.result) {
		case undefined:
			return history
		case 'failed':
			return { ...history, failed: history.failed + 1, due: outcome.nextAt }
		case 'postponed':
			return { ...history, due: outcome.until }
		case 'delivered':
		case 'dead':
			return undefined
	}
}

async function sendMessage(
	queue: Queue<QueuedEvent>,
	event: QueuedEvent,
	options: QueueSendOptions = {},
): Promise<void> {
	const sent = await withTimeout(limit, queue.send(event, { ...options, contentType: 'json' }))
	if (sent === timedOut) throw new Error(`no answer within ${limit} ms`)
}

function secondsUntil(due: number): number {
	return Math.min(longestDelay, Math.max(0, Math.ceil((due - Date.now()) / 1000)))
}
