/**
 * One structured line a turn, made of named fields only: names and numbers, and no text or value from outside. The one
 * exception is the stack of a fault of ours, whose message may quote what it failed on, but no secret.
 */
import { GatewayError } from '../errors.ts'
import type { NamedAdapter } from '../format/index.ts'
import type { Change } from '../model/index.ts'
import type { TurnOutcome } from '../observer/index.ts'
import type { LogLine, Runtime } from '../runtime.ts'
import type { Received, TurnContext } from './context.ts'
import { isLoss, lossesFirst } from './losses.ts'
import type { Observation } from './observation.ts'
import { createPathNamer, type PathNamer } from './path-namer.ts'
import type { PreparedRoute } from './prepared-route.ts'
import { redacted, redactPath } from './redact.ts'
import type { SecretFinder } from './secret-finder.ts'

/** What happened in a turn, as far as its line says it. */
export interface TurnRecord {
	/** What was changed in the event on its way to the upstream, and in the reply on its way back; losses first. */
	changes: readonly Change[]
	/** How many more there were, and how many of those were losses. */
	moreChanges: number
	moreLosses: number
	/** Names the paths of the turn, for the line and for the header `dragoman-changes`. */
	readonly nameOf: PathNamer
	/** The call came before, and gets the answer that it got then. */
	duplicate?: boolean
	/** The upstream was late: the platform got the holding reply. */
	held?: boolean
	/** Late replies that were put before this turn's. */
	recalled?: number
	/** Choices of this or of earlier replies are not remembered, because they are too large together. */
	choicesForgotten?: boolean
	upstreamStatus?: number
	/** What the operator should check. */
	readonly notes: string[]
	error?: GatewayError
}

const noChanges: readonly Change[] = []

/** An empty record. `hasSecret` finds what its paths must not show. */
export function createRecord(hasSecret: SecretFinder): TurnRecord {
	return { changes: noChanges, moreChanges: 0, moreLosses: 0, notes: [], nameOf: createPathNamer(hasSecret) }
}

/** Changes that a record holds: a hostile body can cause hundreds of thousands. */
const maxRecorded = 500

/** Adds changes to the record. Beyond its bound the least important are only counted. */
export function recordChanges(record: TurnRecord, changes: readonly Change[]): void {
	if (changes.length === 0) return
	const all = lossesFirst(record.changes.length === 0 ? changes : [...record.changes, ...changes])
	record.changes = all
	if (all.length <= maxRecorded) return
	record.changes = all.slice(0, maxRecorded)
	record.moreChanges += all.length - record.changes.length
	record.moreLosses += all.slice(maxRecorded).filter(isLoss).length
}

/** Adds the paths of what the model cannot express. */
export function recordUnread(record: TurnRecord, feature: 'event' | 'reply', unread: readonly string[]): void {
	recordChanges(
		record,
		unread.map((path) => ({ path, feature, did: 'dropped', detail: 'ignored' })),
	)
}

/** Changes that a line names; the rest is counted. */
const maxNamed = 20

/**
 * Logs a finished turn, and shows it to the observer. `status` is that of the answer to the platform; `received` is absent
 * when the event was not decoded.
 */
export function logTurn(
	{ turnId, route, startedAt, observed }: TurnContext,
	record: TurnRecord,
	platform: NamedAdapter,
	received: Received | undefined,
	status: number,
	runtime: Runtime,
): void {
	const line = {
		level: levelOf(record),
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
		choicesForgotten: record.choicesForgotten || undefined,
		upstreamStatus: record.error?.context.upstreamStatus ?? record.upstreamStatus,
		ms: Math.round(runtime.elapsed() - startedAt),
	}
	// Most turns have nothing more to say.
	runtime.log(isClean(record) ? line : { ...line, ...outcomeOf(record, route.hasSecret) })
	observed?.end({
		...observedOutcome(record, route.hasSecret),
		platform: platform.name,
		kind: received?.event.kind,
		status,
	})
}

/**
 * Logs a reply that the backend sent by itself, and shows it to the observer. `status` is that of the answer to the
 * backend, `ms` how long it took.
 */
export function logReply(
	{ id, route, platform }: { readonly id: string; readonly route: PreparedRoute; readonly platform: NamedAdapter },
	record: TurnRecord,
	status: number,
	ms: number,
	observed: Observation | undefined,
	{ log }: Pick<Runtime, 'log'>,
): void {
	observed?.end({ ...observedOutcome(record, route.hasSecret), platform: platform.name, kind: undefined, status })
	log({
		level: levelOf(record),
		msg: 'reply',
		turn: id,
		route: route.name,
		platform: platform.name,
		status,
		duplicate: record.duplicate || undefined,
		ms: Math.round(ms),
		...outcomeOf(record, route.hasSecret),
	})
}

/** What an observer sees of a record. */
function observedOutcome(
	record: TurnRecord,
	hasSecret: SecretFinder,
): Omit<TurnOutcome, 'at' | 'platform' | 'kind' | 'status'> {
	const { error, duplicate = false, held = false, recalled = 0, changes, moreChanges, notes } = record
	const shown = changes.map((change) => ({ ...change, path: redactPath(change.path, hasSecret) }))
	return { error: error?.code, duplicate, held, recalled, changes: shown, moreChanges, notes }
}

function levelOf({ error }: TurnRecord): LogLine['level'] {
	if (error === undefined) return 'info'
	return error.status >= 500 ? 'error' : 'warn'
}

/** Whether nothing was wrong, and nothing lost. */
function isClean({ error, notes, changes, moreLosses }: TurnRecord): boolean {
	return error === undefined && notes.length === 0 && moreLosses === 0 && !changes.some(isLoss)
}

/** The fields of a line that say what was wrong, and what was lost. */
function outcomeOf(record: TurnRecord, hasSecret: SecretFinder): { readonly [field: string]: unknown } {
	const { error, nameOf } = record
	const losses = record.changes.filter(isLoss)
	return {
		error: error?.code,
		because: error?.context.because,
		field: error?.context.field ? nameOf(error.context.field) : error?.field,
		expected: error?.context.expected,
		mistakes: error?.context.mistakes?.map(({ field, expected }) => `${nameOf(field)}: ${expected ?? 'invalid'}`),
		moreMistakes: error?.context.moreMistakes,
		notes: record.notes.length > 0 ? record.notes : undefined,
		cause: error && causeOf(error, hasSecret),
		changes: losses.length > 0 ? losses.slice(0, maxNamed).map(({ did, path }) => `${did} ${nameOf(path)}`) : undefined,
		moreChanges: Math.max(0, losses.length - maxNamed) + record.moreLosses || undefined,
	}
}

/** The stack of a fault of ours; of any other error only the system's code, for a message may quote a value from outside. */
export function causeOf({ code, cause }: GatewayError, hasSecret: SecretFinder): string | undefined {
	// Its code is `because` already.
	if (!(cause instanceof Error) || cause instanceof GatewayError) return undefined
	const { stack = '' } = cause
	if (code === 'internal') return hasSecret(stack) ? redacted : stack
	return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}
