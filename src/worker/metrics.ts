/**
 * The metrics of a Worker, in Workers Analytics Engine: a data point for each thing that happens. They hold names of the
 * configuration, codes of the gateway and numbers, and nothing from outside.
 */
import { type CallOutcome, type Observer, outcomeOf, type TurnOutcome } from '../observer/index.ts'

/** Bytes of an index: https://developers.cloudflare.com/analytics/analytics-engine/limits/. Names of routes are ASCII. */
const longestIndex = 96

/** What a data point says. Its place in the data point is its column: docs/observability.md has the table. */
interface Measured {
	readonly what: 'turn' | 'late-reply' | 'posted-reply' | 'call' | 'delivery' | 'refusal'
	readonly route?: string | undefined
	readonly platform?: string
	readonly outcome: string
	readonly error?: string | undefined
	/** Milliseconds that it took. */
	readonly ms?: number
	/** Milliseconds that were left until the answer had to leave. */
	readonly slack?: number
	/** How many parts were dropped or shortened, and how many were changed in another way. */
	readonly changes?: readonly [losses: number, others: number]
}

/** Writes what it sees to a dataset. */
export function createMetrics(dataset: AnalyticsEngineDataset): Observer {
	const write = ({ what, route = '', platform = '', outcome, error = '', ms = 0, slack = 0, changes }: Measured) => {
		dataset.writeDataPoint({
			// The key of the sampling: a route with few turns is not hidden by one with many.
			indexes: [route.slice(0, longestIndex)],
			blobs: [what, route, platform, outcome, error],
			doubles: [ms, slack, ...(changes ?? [0, 0])],
		})
	}
	const timeCall = (route: string) => () => {
		const startedAt = performance.now()
		return {
			end({ error }: CallOutcome) {
				const ms = performance.now() - startedAt
				write({ what: 'call', route, outcome: error === undefined ? 'ok' : 'failed', error, ms })
			},
		}
	}
	return {
		turn: ({ route, limit }) => ({
			call: timeCall(route),
			end(outcome) {
				write({ what: 'turn', route, slack: limit - outcome.at, ...measured(outcome) })
			},
			late({ did, error, at }) {
				write({ what: 'late-reply', route, outcome: did, error, ms: at })
			},
		}),
		postedReply: ({ route }) => ({
			end(outcome) {
				write({ what: 'posted-reply', route, ...measured(outcome) })
			},
		}),
		delivery: ({ route, platform, to }) => ({
			...(to === 'upstream' && { call: timeCall(route) }),
			end({ result, error, ms }) {
				write({ what: 'delivery', route, platform, outcome: result, error, ms })
			},
		}),
		refusal({ route, error }) {
			write({ what: 'refusal', route, outcome: 'refused', error })
		},
	}
}

function measured(outcome: TurnOutcome): Omit<Measured, 'what'> {
	const { platform, error, at, changes } = outcome
	const losses = changes.filter(({ did }) => did === 'dropped' || did === 'shortened').length
	return { platform, outcome: outcomeOf(outcome), error, ms: at, changes: [losses, changes.length - losses] }
}
