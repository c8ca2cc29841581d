/** The metrics of a gateway, for Prometheus. Labels hold names of the configuration and codes of the gateway, and nothing from outside. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import {
	type BegunDelivery,
	type CallOutcome,
	type Observer,
	type Outcome,
	outcomeOf,
	type StateFailure,
	type TurnOutcome,
} from '../../observer/index.ts'
import type { Route } from '../../route.ts'
import { addOutboxGauges, type OutboxSource } from './outbox-gauges.ts'
import { addUpstreamGauges } from './upstream-gauges.ts'

/** What is measured. */
export interface MetricsSource {
	/** The routes as they are now. */
	routes(): readonly Route[]
	/** Absent: the gateway has no outbox. */
	readonly outbox?: OutboxSource | undefined
	/** Whether the state is shared with other Nodes. */
	readonly sharesState?: boolean
}

/** Metrics that fill by themselves. */
export interface Metrics {
	readonly registry: Registry
	/** Counts what it sees. */
	readonly observer: Observer
}

/** Seconds. Platforms wait for 5 to 25 of them. */
const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 6, 8, 10, 15, 20, 25, 60]
/** Seconds that were left. What is below zero came too late. */
const slacks = [0, 0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 10, 15, 20, 25]

const outcomes: readonly Outcome[] = ['answered', 'held', 'duplicate', 'failed']
const targets: readonly BegunDelivery['to'][] = ['upstream', 'platform']
const stateUses: readonly StateFailure['did'][] = ['begin', 'settle', 'addLateReply', 'takeLateReplies', 'forget']

/** New metrics, with a registry of their own. */
export function createMetrics(source: MetricsSource): Metrics {
	const registry = new Registry()
	const registers = [registry]
	collectDefaultMetrics({ register: registry })
	addUpstreamGauges(registry, source)
	if (source.outbox) addOutboxGauges(registry, source.outbox, source.routes)

	const turns = new Counter({
		...{ name: 'dragoman_turns_total', help: 'Turns by how they ended', registers },
		labelNames: ['route', 'platform', 'outcome'],
	})
	const errors = new Counter({
		...{ name: 'dragoman_turn_errors_total', help: 'Failed turns by error code', registers },
		labelNames: ['route', 'platform', 'error'],
	})
	const duration = new Histogram({
		...{ name: 'dragoman_turn_duration_seconds', registers, buckets: durations },
		help: 'Time from the call of a platform until its answer is ready',
		labelNames: ['route', 'platform'],
	})
	const slack = new Histogram({
		...{ name: 'dragoman_turn_deadline_slack_seconds', registers, buckets: slacks },
		help: 'Time left until the answer had to leave; below zero it was too late',
		labelNames: ['route', 'platform'],
	})
	const changes = new Counter({
		...{ name: 'dragoman_changes_total', registers, labelNames: ['route', 'platform', 'feature', 'did'] },
		help: 'What was changed of events and replies because a format cannot express it',
	})
	const late = new Counter({
		...{
			name: 'dragoman_late_replies_total',
			help: 'What became of replies that came after the holding reply',
			registers,
		},
		labelNames: ['route', 'did'],
	})
	const postedReplies = new Counter({
		...{ name: 'dragoman_posted_replies_total', help: 'Replies that backends sent by themselves', registers },
		labelNames: ['route', 'platform', 'outcome'],
	})
	const calls = new Histogram({
		...{ name: 'dragoman_upstream_call_duration_seconds', registers, buckets: durations },
		help: 'Time of each attempt to call an upstream, those of the outbox included',
		labelNames: ['route', 'result'],
	})
	const callErrors = new Counter({
		...{ name: 'dragoman_upstream_call_errors_total', help: 'Failed attempts to call an upstream', registers },
		labelNames: ['route', 'error'],
	})
	const deliveries = new Counter({
		...{ name: 'dragoman_deliveries_total', help: 'Attempts to deliver what the outbox holds', registers },
		labelNames: ['route', 'to', 'result'],
	})
	const refusals = new Counter({
		...{ name: 'dragoman_refused_calls_total', help: 'Calls that began no turn, by error code', registers },
		labelNames: ['route', 'error'],
	})

	const stateFailures = new Counter({
		...{ name: 'dragoman_state_failures_total', registers, labelNames: ['did'] },
		help: 'Steps of turns that went on without the shared state, and failures to delete what is old from it',
	})

	// A rate over a counter that begins with its first event misses that event.
	for (const { name: route, platforms } of source.routes()) {
		for (const { name: platform } of platforms) {
			for (const outcome of outcomes) turns.inc({ route, platform, outcome }, 0)
		}
		for (const to of source.outbox ? targets : []) deliveries.inc({ route, to, result: 'dead' }, 0)
	}
	for (const did of source.sharesState ? stateUses : []) stateFailures.inc({ did }, 0)

	const timeCall = (route: string) => () => {
		const startedAt = performance.now()
		return {
			end({ error }: CallOutcome) {
				const seconds = (performance.now() - startedAt) / 1000
				calls.observe({ route, result: error === undefined ? 'ok' : 'failed' }, seconds)
				if (error !== undefined) callErrors.inc({ route, error })
			},
		}
	}
	const countChanges = (route: string, { platform, changes: all }: TurnOutcome) => {
		for (const { feature, did } of all) changes.inc({ route, platform, feature, did })
	}

	const observer: Observer = {
		turn: ({ route, limit }) => ({
			call: timeCall(route),
			end(outcome) {
				const { platform, at, error } = outcome
				turns.inc({ route, platform, outcome: outcomeOf(outcome) })
				if (error !== undefined) errors.inc({ route, platform, error })
				duration.observe({ route, platform }, at / 1000)
				slack.observe({ route, platform }, (limit - at) / 1000)
				countChanges(route, outcome)
			},
			late({ did }) {
				late.inc({ route, did })
			},
		}),
		postedReply: ({ route, platform }) => ({
			end(outcome) {
				postedReplies.inc({ route, platform, outcome: outcomeOf(outcome) })
				countChanges(route, outcome)
			},
		}),
		delivery: ({ route, to }) => ({
			...(to === 'upstream' && { call: timeCall(route) }),
			end({ result }) {
				deliveries.inc({ route, to, result })
			},
		}),
		refusal({ route = '', error }) {
			refusals.inc({ route, error })
		},
		stateFailure({ did }) {
			stateFailures.inc({ did })
		},
	}
	return { registry, observer }
}
