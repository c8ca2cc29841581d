/** Resolves a PostgreSQL database of the configuration into the settings that the Node runtime connects with. */
import type { ConfigIssues, Path } from './issues.ts'
import type * as schema from './schema.ts'
import { type Environment, readSecret } from './secrets.ts'

/** A PostgreSQL database, and how it is opened. */
export interface PostgresSettings {
	/** Holds the password: not to be printed. */
	readonly url: string
	/** Whether the start brings the schema up to date. */
	readonly migrate: boolean
}

/** The settings. If the variable holds no URL of PostgreSQL, adds an error and returns undefined. */
export function resolvePostgres(
	{ env: name, migrate = false }: schema.Postgres,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): PostgresSettings | undefined {
	const url = readSecret({ env: name }, at, env, issues)
	if (url === undefined) return undefined
	if (URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)) return { url, migrate }
	return issues.error([...at, 'env'], 'the variable must hold a URL such as postgresql://user:password@host/database')
}
