/** Resolves the outbox of the configuration into the settings that a runtime opens it with. */
import { defaultDeadRetention, defaultSchedule, type Schedule } from '../delivery/index.ts'
import { limits } from '../limits.ts'
import { durationOf, milliseconds } from './duration.ts'
import type { ConfigIssues, Path } from './issues.ts'
import { type PostgresSettings, resolvePostgres } from './postgres-settings.ts'
import * as schema from './schema.ts'
import { type Environment, readEncryptionKey, readEncryptionKeys } from './secrets.ts'

/** How accepted events are stored and delivered. Durations are milliseconds. */
export type OutboxSettings = FileOutboxSettings | PostgresOutboxSettings

/** An outbox in a file, which one process uses. */
export interface FileOutboxSettings extends CommonOutboxSettings {
	/** As in the configuration: a relative path starts at the gateway's working directory. */
	readonly file: string
}

/** An outbox in a database, which several processes share. */
export interface PostgresOutboxSettings extends CommonOutboxSettings {
	readonly postgres: PostgresSettings
}

/** What is set alike wherever the events are stored. */
export interface CommonOutboxSettings extends Schedule {
	/** Keys of 32 bytes; the first encrypts, all of them decrypt. None: events are stored unencrypted. */
	readonly keys: readonly Uint8Array<ArrayBuffer>[]
	/** Limit of the database file without its write-ahead log, or of the events in PostgreSQL. */
	readonly maxBytes: number
	/** Whether later events of a conversation wait for one that keeps failing, or are delivered before it. */
	readonly order: 'block' | 'overtake'
	/** Maximum number of concurrent deliveries per route. */
	readonly concurrency: number
	readonly retention: {
		/** How long to keep a delivered event. 0: delete it on delivery. */
		readonly delivered: number
		/** How long to keep a dead letter. */
		readonly dead: number
		/** Limit of delivered and dead events together; beyond it, the oldest are deleted, delivered ones first. */
		readonly maxBytes: number
	}
}

const defaults = {
	maxBytes: limits.outboxBytes.value,
	concurrency: 16,
}

/** The settings. If they cannot be used, adds an error for everything that is wrong and returns undefined. */
export function resolveOutbox(
	value: unknown,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): OutboxSettings | undefined {
	const object = issues.object(value, at)
	if (!object) return undefined
	const members = issues.members(schema.Outbox, object, at)
	const { file, postgres, key = [], maxBytes = defaults.maxBytes, ...given } = members
	const keysAt = [...at, 'key']
	const keys =
		'env' in key ? [readEncryptionKey(key, keysAt, env, issues)] : readEncryptionKeys(key, keysAt, env, issues)
	const { delivered, dead, maxBytes: retained = maxBytes / 2 } = given.retention ?? {}
	if (retained > maxBytes / 2) issues.error([...at, 'retention', 'maxBytes'], 'must be at most half of "maxBytes"')
	if ((object.file === undefined) === (object.postgres === undefined)) {
		issues.error(at, 'must have either "file" or "postgres"')
	}
	const common: CommonOutboxSettings = {
		keys: keys.flatMap((bytes) => bytes ?? []),
		maxBytes,
		schedule: given.schedule?.map(milliseconds) ?? defaultSchedule.schedule,
		expiry: durationOf(given.expiry, defaultSchedule.expiry),
		order: given.order ?? 'block',
		concurrency: given.concurrency ?? defaults.concurrency,
		retention: {
			delivered: durationOf(delivered, 0),
			dead: durationOf(dead, defaultDeadRetention),
			maxBytes: retained,
		},
	}
	if (file !== undefined) return { file, ...common }
	const database = postgres && resolvePostgres(postgres, [...at, 'postgres'], env, issues)
	return database && { postgres: database, ...common }
}
