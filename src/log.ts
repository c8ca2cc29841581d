/** One structured line a turn, made of named fields only: no text, no value, no address of a user ever gets in. */
import type { Runtime } from './runtime.ts'
import type { TurnInHand } from './turn.ts'

/** Changes that a line names; the rest is counted. */
const maxChanges = 20

/** Logs a finished turn. `status` is that of the answer to the platform. */
export function logTurn(turn: TurnInHand, status: number, runtime: Runtime): void {
	const { error, changes } = turn
	runtime.log({
		level: error === undefined ? 'info' : error.status >= 500 ? 'error' : 'warn',
		msg: 'turn',
		turn: turn.turn,
		route: turn.route.name,
		platform: turn.platform.name,
		upstream: turn.route.upstream.name,
		kind: turn.event?.kind,
		status,
		duplicate: turn.duplicate,
		upstreamStatus: error?.context.upstreamStatus ?? turn.upstreamStatus,
		ms: Math.round(runtime.elapsed() - turn.startedAt),
		error: error?.code,
		because: error?.context.because,
		field: error?.field,
		expected: error?.context.expected,
		cause: error?.code === 'internal' && error.cause instanceof Error ? error.cause.stack : undefined,
		changes: changes.length === 0 ? undefined : changes.slice(0, maxChanges).map(({ did, path }) => `${did} ${path}`),
		moreChanges: changes.length > maxChanges ? changes.length - maxChanges : undefined,
	})
}
