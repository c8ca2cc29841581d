/** The command `dragoman outbox migrate`: brings the tables of every database in the configuration up to date. */
import { parseArgs } from 'node:util'
import { ConfigError, type PostgresSettings } from '../../config/index.ts'
import { exitCode } from '../exit-code.ts'

/** Whether these arguments of `dragoman outbox` ask for it. */
export function asksToMigrate(args: readonly string[]): boolean {
	return args.find((argument) => !argument.startsWith('-')) === 'migrate'
}

/**
 * Migrates one database after the other, and tells of each with `say`. Returns the exit code. Rejects with a ConfigError if
 * there is none, or with a DatabaseUnusable: the databases before that one are up to date then.
 */
export async function runMigrate(
	args: readonly string[],
	databases: readonly PostgresSettings[],
	say: (line: string) => void,
): Promise<number> {
	const json = readJson(args)
	if (json === undefined) {
		say('migrate takes no options but --json.')
		return exitCode.wrongUsage
	}
	if (databases.length === 0) {
		throw new ConfigError(['neither "outbox" nor "state" has a "postgres", which this command needs'])
	}
	const [{ migrate }, { placeOf }] = await Promise.all([
		import('../postgres/migrations.ts'),
		import('../postgres/connection.ts'),
	])
	const migrated: object[] = []
	for (const settings of databases) {
		const place = placeOf(settings)
		const { from, to } = await migrate(settings)
		migrated.push({ place, from, to })
		if (json) continue
		say(
			from === to
				? `${place}: the tables have version ${to}. There is nothing to do.`
				: `${place}: the tables had version ${from}, and now have version ${to}.`,
		)
	}
	if (json) say(JSON.stringify(migrated))
	return exitCode.ok
}

/** Whether JSON is wanted. Undefined: the arguments are wrong. */
function readJson(args: readonly string[]): boolean | undefined {
	try {
		const options = { json: { type: 'boolean', default: false } } as const
		const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options })
		return positionals.length === 1 ? values.json : undefined
	} catch {
		return undefined
	}
}
