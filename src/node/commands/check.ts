/** `dragoman check`: everything that would keep the gateway from starting, or from reaching its backends. */
import { styleText } from 'node:util'
import { ConfigError } from '../../config/index.ts'
import { checkConfiguration, loadConfiguration } from '../configuration.ts'
import { exitCode } from '../exit-code.ts'
import { listenAddress } from '../listen-address.ts'
import { isLocal } from '../listener.ts'
import { withProgress } from '../progress.ts'
import { type Reached, reachUpstreams } from '../reach-upstreams.ts'
import { defineCommand, refuseArguments } from './define-command.ts'

export const command = defineCommand({
	name: 'check',
	usage: ['[OPTIONS]'],
	about: [
		'Checks a configuration as the start would: every mistake in one pass, with secrets that are not set. Then connects to each backend once, without calling it.',
		'Uses the HOST that the gateway would listen on: only on localhost, routes need no secret.',
	],
	options: { json: { type: 'boolean', default: false, about: 'print JSON' } },
	examples: [
		['dragoman check', 'before the first start'],
		['HOST=0.0.0.0 dragoman check --config /etc/dragoman/gateway.json', 'before a deployment'],
	],
	exitCodes: '0 all is well, 2 wrong usage, 69 a backend cannot be reached, 78 the configuration has mistakes',
	async run({ values: { json }, positionals }, { configFile, env: processEnv }) {
		refuseArguments(positionals)
		const print = (report: Report) => (json ? console.log(JSON.stringify(report, null, 2)) : printReport(report))
		try {
			const configuration = await loadConfiguration(configFile, processEnv)
			const checked = checkConfiguration(configuration, isLocal(listenAddress(configuration.env)))
			if ('mistakes' in checked) throw new ConfigError(checked.mistakes, checked.unset)
			const { routes, warnings } = checked.settings
			const upstreams = await withProgress('Connecting to the backends', reachUpstreams(routes))
			print({ file: configFile, routes: routes.length, mistakes: [], warnings, upstreams })
			return upstreams.some(({ error }) => error !== undefined) ? exitCode.unavailable : exitCode.ok
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
}

function printReport({ file, routes, warnings, upstreams }: Report): void {
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
}
