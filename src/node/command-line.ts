/**
 * The command line: starts the gateway, manages its outbox with `dragoman outbox`, or the webhooks of a ChatBot account
 * with `dragoman connections`. Reads the environment variables DRAGOMAN_CONFIG, HOST and PORT, those of socket activation,
 * and the secrets that the configuration names.
 */
import { adapters } from '../../adapters/index.ts'
import { ConfigError, readOutbox } from '../config/index.ts'
import { readConfigFile } from './config-file.ts'
import { runConnections } from './connections/connections-command.ts'
import { asksForHelp, outboxHelp, runOutbox } from './outbox/outbox-command.ts'
import { OutboxError } from './outbox/outbox-error.ts'
import { onReloadSignal } from './reload-signal.ts'
import { type Gateway, serve } from './serve.ts'
import { activatedSocket, SocketUnusable } from './socket-activation.ts'
import { startupBanner } from './startup-banner.ts'

const { DRAGOMAN_CONFIG: file = 'config/gateway.json', HOST: host = '127.0.0.1', PORT: port = '8787' } = process.env

/** Exit codes of sysexits.h, so that a supervisor does not restart a gateway that is configured wrongly. */
const exit = { ok: 0, usage: 64, unavailable: 69, config: 78 }

const [command, ...args] = process.argv.slice(2)

try {
	if (command === 'outbox') await manageOutbox(args)
	else if (command === 'connections') await manageConnections(args)
	else if (command === undefined) await startGateway()
	else {
		console.error(
			`Unknown command "${command}". Run without a command to start the gateway, "outbox" to manage stored events, or "connections" to manage webhooks of ChatBot.`,
		)
		process.exitCode = exit.usage
	}
} catch (thrown) {
	const [code, ...lines] = describeFailure(thrown)
	for (const line of lines) console.error(line)
	process.exitCode = code
}

async function startGateway(): Promise<void> {
	const socket = activatedSocket(process.env, process.pid)
	const address = socket ? { socket } : { host, port: readPort() }
	const config = await readConfigFile(file)
	const gateway = await serve({ config, adapters, ...address })
	let reloaded = Promise.resolve()
	onReloadSignal(() => {
		reloaded = reloaded.then(() => reload(gateway))
	})
	handleProcessEvents(gateway)
	// Standard error, because standard output is the log.
	console.error(await startupBanner(gateway.url, gateway.routes, gateway.runtime.crypto))
	console.error(`\nReload the configuration: kill -HUP ${process.pid}`)
	if (readOutbox(config, process.env)?.keys.length === 0) {
		console.error('\nThe outbox has no "key": events are stored unencrypted, with what users wrote.')
	}
}

/** Applies the current content of the configuration file. If it is invalid, logs why and changes nothing. */
async function reload(gateway: Gateway): Promise<void> {
	try {
		gateway.reload(await readConfigFile(file))
	} catch (thrown) {
		const mistakes = thrown instanceof ConfigError ? thrown.mistakes : undefined
		const cause = mistakes || !(thrown instanceof Error) ? undefined : thrown.stack
		gateway.runtime.log({ level: 'error', msg: 'reload', mistakes, cause })
	}
}

async function manageOutbox(args: readonly string[]): Promise<void> {
	if (asksForHelp(args)) return console.log(outboxHelp)
	const settings = readOutbox(await readConfigFile(file), process.env)
	if (!settings) throw new ConfigError(['outbox: is missing'])
	process.exitCode = runOutbox(args, settings, console.log, console.error)
}

async function manageConnections(args: readonly string[]): Promise<void> {
	process.exitCode = await runConnections(args, {
		env: process.env,
		config: () => readConfigFile(file),
		say: console.log,
		report: console.error,
	})
}

function readPort(): number {
	if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new ConfigError(['PORT must be a number up to 65535.'])
	return Number(port)
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
			process.exit(exit.ok)
		})
	}
}

/** The exit code for a failure, and what to print about it. Throws what it does not know. */
function describeFailure(thrown: unknown): [code: number, ...lines: string[]] {
	if (thrown instanceof ConfigError)
		return [exit.config, thrown.message, ...thrown.mistakes.map((mistake) => `  ${mistake}`)]
	if (thrown instanceof SocketUnusable) return [exit.config, thrown.message]
	if (thrown instanceof OutboxError) return [exit.unavailable, thrown.message]
	const { code } = thrown as NodeJS.ErrnoException
	if (code === 'EADDRINUSE') return [exit.unavailable, `Port ${port} on ${host} is in use. Set PORT to another.`]
	if (code === 'EACCES')
		return [exit.unavailable, `No permission to use port ${port} on ${host}. Set PORT to one above 1023.`]
	if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
		return [exit.unavailable, `${host} is not an address of this machine. Set HOST to one.`]
	}
	throw thrown
}
