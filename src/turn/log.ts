/** One structured line a turn, made of named fields only: names and numbers, and no text or value from outside. */
import type { GatewayError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { TurnContext } from './context.ts'

/** Changes that a line names; the rest is counted. */
const maxChanges = 20

/** Logs a finished turn. `status` is that of the answer to the platform. */
export function logTurn(turn: TurnContext, status: number, runtime: Runtime): void {
	const { error, route } = turn
	// What was added took nothing from anybody.
	const losses = turn.changes.filter(({ did }) => did !== 'added').map(({ did, path }) => `${did} ${path}`)
	runtime.log({
		level: error === undefined ? 'info' : error.status >= 500 ? 'error' : 'warn',
		msg: 'turn',
		turn: turn.turnId,
		route: route.name,
		platform: turn.platform.name,
		upstream: route.upstream.name,
		kind: turn.event?.kind,
		status,
		duplicate: turn.duplicate,
		held: turn.held,
		recalled: turn.recalled || undefined,
		upstreamStatus: error?.context.upstreamStatus ?? turn.upstreamStatus,
		ms: Math.round(runtime.elapsed() - turn.startedAt),
		error: error?.code,
		because: error?.context.because,
		field: error?.field,
		expected: error?.context.expected,
		cause: error && causeOf(error),
		changes: losses.length > 0 ? losses.slice(0, maxChanges) : undefined,
		moreChanges: Math.max(0, losses.length - maxChanges) + turn.moreChanges || undefined,
	})
}

/** The stack of a fault of ours; of any other error only the system's code, for a message may quote what it choked on. */
function causeOf({ code, cause }: GatewayError): string | undefined {
	if (!(cause instanceof Error)) return undefined
	if (code === 'internal') return cause.stack
	return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
