/** `dragoman start`: the gateway. Reads HOST and PORT, the variables of socket activation, and the secrets of the configuration. */
import { readOutbox } from '../../config/index.ts'
import { loadConfiguration, requireLoaded } from '../configuration.ts'
import { createReload } from '../create-reload.ts'
import { exitCode } from '../exit-code.ts'
import { describeListenError, listenAddress } from '../listen-address.ts'
import { isLocal } from '../listener.ts'
import { onReloadSignal } from '../reload-signal.ts'
import { type Gateway, type ServeOptions, serve } from '../serve.ts'
import { activatedSocket } from '../socket-activation.ts'
import { startupBanner } from '../startup-banner.ts'
import { defineCommand, refuseArguments } from './define-command.ts'
import { UsageError } from './usage-error.ts'

export const command = defineCommand({
	name: 'start',
	usage: ['[OPTIONS]'],
	about: [
		'Starts the gateway. It runs until Ctrl-C or SIGTERM; SIGHUP makes it read the configuration again.',
		'Standard output is the log: one short line a turn in a terminal, and JSON elsewhere.',
	],
	options: {
		watch: {
			type: 'boolean',
			default: false,
			about: 'read the configuration again when it, its .env or one of its adapters changes',
		},
		verbose: {
			type: 'boolean',
			default: false,
			about: 'print the event and the reply of each turn, with what users wrote; only in a terminal',
		},
	},
	examples: [
		['dragoman', 'with config/gateway.json, on http://127.0.0.1:8787'],
		['dragoman start --watch', 'while you change the configuration'],
		['HOST=0.0.0.0 PORT=80 dragoman start --config /etc/dragoman/gateway.json', 'for others'],
	],
	exitCodes: '0 ended by a signal, 64 wrong usage, 69 something is unavailable, 78 the configuration has mistakes',
	async run({ values, positionals }, surroundings) {
		refuseArguments(positionals)
		const watching = await watchingPerson(values.verbose)
		const { configFile, env: processEnv } = surroundings
		const socket = activatedSocket(processEnv, process.pid)
		const configuration = await loadConfiguration(configFile, processEnv)
		const { json, adapters, env, envFile } = configuration
		const address = socket ?? listenAddress(env)
		const loopback = isLocal(address)
		requireLoaded(configuration, loopback)
		const place = 'host' in address ? address : { socket: address }
		const gateway = await serve({ config: json, adapters, env, ...place, ...watching }).catch((thrown: unknown) => {
			throw 'host' in address ? describeListenError(thrown, address) : thrown
		})
		handleProcessEvents(gateway)
		const load = () => loadConfiguration(configFile, processEnv)
		onReloadSignal(createReload({ gateway, loopback, load, watched: values.watch ? configuration : undefined }))
		// Standard error, because standard output is the log.
		console.error(await startupBanner(gateway.url, gateway.routes, gateway.runtime.crypto))
		if (envFile !== undefined) console.error(`\nRead ${envFile}, for variables that were not set.`)
		const byItself = values.watch ? `; it is also read again when one of its files changes` : ''
		console.error(`\nReload the configuration: kill -HUP ${process.pid}${byItself}`)
		if (readOutbox(json, env)?.keys.length === 0) {
			console.error('\nThe outbox has no "key": events are stored unencrypted, with what users wrote.')
		}
		return undefined
	},
})

/** What a person in a terminal sees of the turns. Elsewhere, nothing but the log's JSON is written. */
async function watchingPerson(isVerbose: boolean): Promise<Pick<ServeOptions, 'log' | 'observer'>> {
	if (!process.stdout.isTTY) {
		if (isVerbose) throw new UsageError('--verbose prints what users write, so it needs a terminal.')
		return {}
	}
	const { logToTerminal, printTurns } = await import('../terminal-log.ts')
	return { log: logToTerminal, ...(isVerbose && { observer: printTurns }) }
}

/** Logs uncaught errors, and closes the gateway on SIGTERM and SIGINT. */
function handleProcessEvents(gateway: Gateway): void {
	const log = (error: unknown) => {
		gateway.runtime.log({ level: 'error', msg: 'uncaught', cause: error instanceof Error ? error.stack : undefined })
	}
	// A bug in one turn must not end all the others.
	process.on('uncaughtException', log)
	process.on('unhandledRejection', log)
	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		process.once(signal, async () => {
			await gateway.close()
			process.exit(exitCode.ok)
		})
	}
}
