/** One structured line a turn, made of named fields only: names and numbers, and no text or value from outside. */
import type { GatewayError } from '../errors.ts'
import type { NamedAdapter } from '../format/index.ts'
import type { Change } from '../model/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Received, TurnContext } from './context.ts'

/** What happened in a turn, as far as its line says it. */
export interface TurnRecord {
	/** What the event lost on its way to the upstream, then what the reply lost on its way back; the first of many. */
	readonly changes: Change[]
	/** How many more there were. */
	moreChanges: number
	/** The call came before, and gets the answer that it got then. */
	duplicate?: boolean
	/** The upstream was late: the platform got the holding reply. */
	held?: boolean
	/** Late replies that were put before this turn's. */
	recalled?: number
	upstreamStatus?: number
	error?: GatewayError
}

export function createRecord(): TurnRecord {
	return { changes: [], moreChanges: 0 }
}

/** Changes that a record holds: a hostile body can cause hundreds of thousands. */
const maxRecorded = 500

/** Adds changes to the record, and counts those beyond its bound. */
export function recordChanges(record: TurnRecord, changes: readonly Change[]): void {
	const recorded = changes.slice(0, maxRecorded - record.changes.length)
	record.changes.push(...recorded)
	record.moreChanges += changes.length - recorded.length
}

/** Adds what decode could not say in the model. */
export function recordUnread(record: TurnRecord, feature: 'event' | 'reply', unread: readonly string[]): void {
	recordChanges(
		record,
		unread.map((path) => ({ path, feature, did: 'dropped', detail: 'ignored' })),
	)
}

/** Changes that a line names; the rest is counted. */
const maxNamed = 20

/** Logs a finished turn. `status` is that of the answer to the platform; `received` is absent when the event was not decoded. */
export function logTurn(
	{ turnId, route, startedAt }: TurnContext,
	record: TurnRecord,
	platform: NamedAdapter,
	received: Received | undefined,
	status: number,
	runtime: Runtime,
): void {
	const { error } = record
	// What fit added took nothing from what was said.
	const losses = record.changes.filter(({ did }) => did !== 'added').map(({ did, path }) => `${did} ${path}`)
	runtime.log({
		level: error === undefined ? 'info' : error.status >= 500 ? 'error' : 'warn',
		msg: 'turn',
		turn: turnId,
		route: route.name,
		platform: platform.name,
		upstream: route.upstream.name,
		kind: received?.event.kind,
		status,
		duplicate: record.duplicate || undefined,
		held: record.held,
		recalled: record.recalled || undefined,
		upstreamStatus: error?.context.upstreamStatus ?? record.upstreamStatus,
		ms: Math.round(runtime.elapsed() - startedAt),
		error: error?.code,
		because: error?.context.because,
		field: error?.field,
		expected: error?.context.expected,
		cause: error && causeOf(error),
		changes: losses.length > 0 ? losses.slice(0, maxNamed) : undefined,
		moreChanges: Math.max(0, losses.length - maxNamed) + record.moreChanges || undefined,
	})
}

/** The stack of a fault of ours; of any other error only the system's code, for a message may quote a value from outside. */
function causeOf({ code, cause }: GatewayError): string | undefined {
	if (!(cause instanceof Error)) return undefined
	if (code === 'internal') return cause.stack
	return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
