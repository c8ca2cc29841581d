/** Brings accepted events to the upstream, from a conversation's object or from the queue. */
import { deliver } from '../delivery/index.ts'
import { asGatewayError, type ErrorCode, GatewayError } from '../errors.ts'
import type { Delivery } from '../runtime.ts'
import { assembledGateway } from './assemble.ts'
import type { Bindings } from './bindings.ts'
import { log } from './console-log.ts'
import { attempts, waitAfter } from './schedule.ts'

/** What became of an attempt that was made. `after` in milliseconds. */
type Settled =
	| { readonly did: 'deliver' }
	| { readonly did: 'give-up' }
	| { readonly did: 'retry'; readonly after: number }

/** Nothing was tried, so no attempt is used up. `after` in milliseconds. */
interface Postponed {
	readonly did: 'postpone'
	readonly after: number
	readonly error: ErrorCode
}

/**
 * One attempt, the how-manieth from one on; `object` is the id of the one that holds the event. Never throws: every failure
 * is a reason to try again, or to give up.
 */
export async function attempt(
	delivery: Delivery,
	number: number,
	bindings: Bindings,
	object?: string,
): Promise<Settled | Postponed> {
	const from = performance.now()
	const { id: turn, route } = delivery
	const line = { msg: 'delivery', turn, route, attempt: number, object }
	const ms = () => Math.round(performance.now() - from)
	try {
		const { routes, runtime } = assembledGateway(bindings)
		const to = routes.find(({ name }) => name === route)
		if (!to) throw new GatewayError('not-found')
		await deliver(delivery, to, runtime)
		log({ level: 'info', ...line, ms: ms() })
		return { did: 'deliver' }
	} catch (thrown) {
		const { code: error, context } = asGatewayError(thrown)
		const asked = (context.retryAfter ?? 0) * 1000
		if (error === 'upstream-circuit-open' || error === 'overloaded') {
			// Each alarm is paid for, and its upstream is asked by others meanwhile.
			return { did: 'postpone', after: Math.max(asked, waitAfter(1) ?? 0), error }
		}
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
			const number = Math.min(message.attempts, attempts)
			const outcome = await attempt(message.body, number, bindings)
			const settled = outcome.did === 'postpone' ? postponed(message.body, number, outcome) : outcome
			if (settled.did === 'deliver') message.ack()
			else if (settled.did === 'give-up') message.retry()
			else message.retry({ delaySeconds: Math.min(longestDelay, Math.ceil(settled.after / 1000)) })
		}),
	)
}

/** The queue counts what was postponed as tried: without the waits of the schedule, a short outage would use up all attempts. */
function postponed({ id: turn, route }: Delivery, number: number, { after, error }: Postponed): Settled {
	const next = waitAfter(number)
	if (next !== undefined) return { did: 'retry', after: Math.max(next, after) }
	log({ level: 'error', msg: 'delivery', turn, route, attempt: number, error, dead: true })
	return { did: 'give-up' }
}
