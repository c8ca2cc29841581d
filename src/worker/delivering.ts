/** Brings accepted events to the upstream, from a conversation's object or from the queue. */
import { type Delivery, deliver } from '../delivery.ts'
import { asGatewayError, GatewayError } from '../errors.ts'
import type { Bindings } from './bindings.ts'
import { gatewayOf } from './gateway.ts'
import { log } from './log.ts'
import { attempts, waitAfter } from './schedule.ts'

/** What became of an attempt. */
export type Outcome =
	| { readonly did: 'deliver' }
	| { readonly did: 'give-up' }
	/** Milliseconds. */
	| { readonly did: 'retry'; readonly after: number }
	/** Nothing was tried, so no attempt is used up. Milliseconds. */
	| { readonly did: 'postpone'; readonly after: number }

/**
 * One attempt, the how-manieth from one on; `object` is the id of the one that holds the event. Never throws: every failure
 * is a reason to try again, or to give up.
 */
export async function attempt(
	delivery: Delivery,
	number: number,
	bindings: Bindings,
	object?: string,
): Promise<Outcome> {
	const from = performance.now()
	const { id: turn, route } = delivery
	const line = { msg: 'delivery', turn, route, attempt: number, object }
	const ms = () => Math.round(performance.now() - from)
	try {
		const { routes, runtime } = gatewayOf(bindings)
		const to = routes.find(({ name }) => name === route)
		if (!to) throw new GatewayError('not-found')
		await deliver(delivery, to, runtime)
		log({ level: 'info', ...line, ms: ms() })
		return { did: 'deliver' }
	} catch (thrown) {
		const { code: error, context } = asGatewayError(thrown)
		const asked = (context.retryAfter ?? 0) * 1000
		if (error === 'upstream-resting' || error === 'overloaded') return { did: 'postpone', after: asked }
		const next = context.upstreamStatus === 410 ? undefined : waitAfter(number)
		const after = next === undefined ? undefined : Math.max(next, asked)
		const failure = { ...line, ms: ms(), error, upstreamStatus: context.upstreamStatus }
		if (after === undefined) {
			log({ level: 'error', ...failure, dead: true })
			return { did: 'give-up' }
		}
		log({ level: 'warn', ...failure, nextIn: after })
		return { did: 'retry', after }
	}
}

/** Seconds that the queue waits at most. */
const longestDelay = 43_200

/** Messages of the queue; what is given up goes into its dead-letter queue. */
export async function consume({ messages }: MessageBatch<Delivery>, bindings: Bindings): Promise<void> {
	await Promise.all(
		messages.map(async (message) => {
			const outcome = await attempt(message.body, Math.min(message.attempts, attempts), bindings)
			if (outcome.did === 'deliver') message.ack()
			else if (outcome.did === 'give-up') message.retry()
			// The queue counts what was postponed as tried.
			else message.retry({ delaySeconds: Math.min(longestDelay, Math.ceil(outcome.after / 1000)) })
		}),
	)
}
