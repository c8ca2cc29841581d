/** `dragoman check`: everything that would keep the gateway from starting, or from reaching its backends. */
import { styleText } from 'node:util'
import { ConfigError, type PostgresSettings, type StateSettings } from '../../config/index.ts'
import { checkConfiguration, loadConfiguration } from '../configuration.ts'
import { exitCode } from '../exit-code.ts'
import { listenAddress } from '../listen-address.ts'
import { isLocal } from '../listener.ts'
import type { ReachedDatabase } from '../postgres/reach-database.ts'
import { withProgress } from '../progress.ts'
import { type Reached, reachUpstreams } from '../reach-upstreams.ts'
import type { ReachedState } from '../state/reach-state.ts'
import { defineCommand, refuseArguments } from './define-command.ts'

export const command = defineCommand({
	name: 'check',
	usage: ['[OPTIONS]'],
	about: [
		'Checks a configuration as the start would: every mistake in one pass, with secrets that are not set. Then connects once to each backend, without calling it, to the database of the outbox and to the server of the shared state. In PostgreSQL, it looks at the version of the tables and at the rights to them.',
		'Uses the HOST that the gateway would listen on: only on localhost, routes need no secret.',
	],
	options: { json: { type: 'boolean', default: false, about: 'print JSON' } },
	examples: [
		['dragoman check', 'before the first start'],
		['HOST=0.0.0.0 dragoman check --config /etc/dragoman/gateway.json', 'before a deployment'],
	],
	exitCodes: '0 all is well, 2 wrong usage, 69 a backend or a server is unusable, 78 the configuration has mistakes',
	async run({ values: { json }, positionals }, { configFile, env: processEnv }) {
		refuseArguments(positionals)
		const print = (report: Report) => (json ? console.log(JSON.stringify(report, null, 2)) : printReport(report))
		try {
			const configuration = await loadConfiguration(configFile, processEnv)
			const checked = checkConfiguration(configuration, isLocal(listenAddress(configuration.env)))
			if ('mistakes' in checked) throw new ConfigError(checked.mistakes, checked.unset)
			const { routes, warnings, outbox, state: settings } = checked.settings
			const reaching = Promise.all([
				reachUpstreams(routes),
				outbox && 'postgres' in outbox ? reach(outbox.postgres) : undefined,
				settings && reachState(settings),
			])
			const [upstreams, database, state] = await withProgress('Connecting to the backends', reaching)
			const servers = { ...(database && { database }), ...(state && { state }) }
			print({ file: configFile, routes: routes.length, mistakes: [], warnings, upstreams, ...servers })
			const failed = [...upstreams, ...Object.values(servers)].some(({ error }) => error !== undefined)
			return failed ? exitCode.unavailable : exitCode.ok
		} catch (thrown) {
			if (!json || !(thrown instanceof ConfigError)) throw thrown
			print({ file: configFile, routes: 0, mistakes: thrown.mistakes, warnings: [], upstreams: [] })
			return exitCode.config
		}
	},
})

interface Report {
	readonly file: string
	readonly routes: number
	readonly mistakes: readonly string[]
	readonly warnings: readonly string[]
	readonly upstreams: readonly Reached[]
	/** Absent: it is not shared. */
	readonly state?: ReachedState
	/** Absent: the configuration has none. */
	readonly database?: ReachedDatabase
}

/** Loads the driver only when it is wanted. */
async function reach(settings: PostgresSettings): Promise<ReachedDatabase> {
	const [{ reachDatabase }, { requireDurable }, { outboxRights }] = await Promise.all([
		import('../postgres/reach-database.ts'),
		import('../postgres/connection.ts'),
		import('../postgres/rights.ts'),
	])
	return await reachDatabase(settings, requireDurable, outboxRights)
}

/** Loads what shares the state only when it is wanted. */
async function reachState(settings: StateSettings): Promise<ReachedState> {
	const { reachState } = await import('../state/reach-state.ts')
	return reachState(settings)
}

function printReport({ file, routes, warnings, upstreams, database, state }: Report): void {
	const ok = styleText('green', 'ok')
	console.log(`${ok}       ${file}: ${routes === 1 ? '1 route' : `${routes} routes`}, no mistakes`)
	for (const warning of warnings) console.log(`${styleText('yellow', 'warning')}  ${warning}`)
	for (const { origin, routes, ms, error } of upstreams) {
		if (error === undefined) console.log(`${ok}       ${origin}: reached in ${ms} ms`)
		else {
			console.log(
				`${styleText('red', 'failed')}   ${origin}: cannot be reached (${error}), for ${routes.join(', ')}. Start the backend, or correct its "url".`,
			)
		}
	}
	if (database) {
		const { place, server, ms, error } = database
		const outbox = `outbox in postgres at ${place}:`
		console.log(
			error === undefined
				? `${ok}       ${outbox} reached in ${ms} ms, ${server}, ${tablesOf(database)}`
				: `${styleText('red', 'failed')}   ${outbox} ${error}`,
		)
	}
	if (!state) return
	const { store, at, server, ms, tables, error, reason } = state
	if (error === undefined) {
		const found = [server, ...(tables ? [tablesOf(tables)] : [])].join(', ')
		console.log(`${ok}       state in ${store} at ${at}: reached in ${ms} ms, ${found}`)
	} else if (reason === 'rights') {
		console.log(`${styleText('red', 'failed')}   state in ${store} at ${at}: ${error}`)
	} else {
		const advice =
			tables === undefined ? 'Start the server, correct its URL, or grant its user the rights that it needs. ' : ''
		const why = `cannot be used (${error.replace(/\.$/, '')}). ${advice}`
		const until = 'Without it, each gateway answers, and remembers nothing.'
		console.log(`${styleText('red', 'failed')}   state in ${store} at ${at}: ${why}${until}`)
	}
}

function tablesOf({ version, programVersion }: Pick<ReachedDatabase, 'version' | 'programVersion'>): string {
	const tables = `tables of version ${version}`
	if (version === undefined || version === programVersion) return tables
	if (version > programVersion) return `${tables}, with which this release (version ${programVersion}) works`
	return `${tables}, which the start brings to version ${programVersion}`
}
