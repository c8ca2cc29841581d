/** Resolves the part of the configuration that says where metrics are read. */
import type { ConfigIssues, Path } from './issues.ts'
import * as schema from './schema.ts'
import { describeUnset, type Environment } from './secrets.ts'

/** Where metrics are read. */
export interface MetricsSettings {
	/** 0: any that is free. */
	readonly port: number
	readonly host: string
}

/** The settings. If they cannot be used, adds an error for everything that is wrong and returns undefined. */
export function resolveMetrics(
	value: unknown,
	at: Path,
	env: Environment,
	issues: ConfigIssues,
): MetricsSettings | undefined {
	const object = issues.object(value, at)
	if (!object) return undefined
	const { port: given, host = '127.0.0.1' } = issues.members(schema.Metrics, object, at)
	const port = typeof given === 'object' ? readPort(given.env, [...at, 'port', 'env'], env, issues) : given
	return port === undefined ? undefined : { port, host }
}

function readPort(name: string, at: Path, env: Environment, issues: ConfigIssues): number | undefined {
	const text = Object.hasOwn(env, name) ? env[name] : undefined
	if (text === undefined) return issues.unsetVariable(at, describeUnset(name))
	if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
	return issues.error(at, 'the variable must hold a number up to 65535')
}
