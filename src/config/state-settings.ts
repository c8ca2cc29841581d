/** Resolves the part of the configuration that says where several Nodes share the state of their conversations. */
import { durationOf } from './duration.ts'
import type { ConfigIssues, Path } from './issues.ts'
import { type PostgresSettings, resolvePostgres } from './postgres-settings.ts'
import * as schema from './schema.ts'
import { type Environment, readSecret } from './secrets.ts'

/** A store that several Nodes share. */
export type StateSettings = (ValkeySettings | ({ readonly store: 'postgres' } & PostgresSettings)) & {
	/** Milliseconds of a round trip, after which a turn goes on without it. */
	readonly timeout: number
}

interface ValkeySettings {
	readonly store: 'valkey'
	/** Holds the password: not to be printed. */
	readonly url: string
}

const defaultTimeout = 250

/** Milliseconds that a turn may wait for a store, at most. */
const longestTimeout = 10_000

const valkeySchemes = ['valkey:', 'valkeys:', 'redis:', 'rediss:']

/** The settings. If they cannot be used, adds an error for everything that is wrong and returns undefined. */
export function resolveState(
	value: unknown,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): StateSettings | undefined {
	const object = issues.object(value, at)
	if (!object) return undefined
	const { postgres, valkey, timeout: given } = issues.members(schema.State, object, at)
	const timeout = durationOf(given, defaultTimeout)
	if (timeout < 1 || timeout > longestTimeout) issues.error([...at, 'timeout'], 'must be from "1ms" to "10s"')
	if ((object.postgres === undefined) === (object.valkey === undefined)) {
		return issues.error(at, 'must have either "postgres" or "valkey"')
	}
	if (valkey) {
		const url = readValkeyUrl(valkey, [...at, 'valkey'], env, issues)
		return url === undefined ? undefined : { store: 'valkey', url, timeout }
	}
	const database = postgres && resolvePostgres(postgres, [...at, 'postgres'], env, issues)
	return database && { store: 'postgres', ...database, timeout }
}

function readValkeyUrl(secret: schema.Secret, at: Path, env: Environment, issues: ConfigIssues): string | undefined {
	const url = readSecret(secret, at, env, issues)
	if (url === undefined) return undefined
	if (URL.canParse(url) && valkeySchemes.includes(new URL(url).protocol) && new URL(url).hostname !== '') return url
	const form = 'the variable must hold a URL such as "valkey://HOST:6379"; "valkeys" and "rediss" use TLS'
	return issues.error([...at, 'env'], form)
}
