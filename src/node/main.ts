#!/usr/bin/env node
/** The gateway as a process: `npm start`, and `dragoman outbox`. Reads DRAGOMAN_CONFIG, HOST, PORT, and the secrets the configuration names. */
import { readFile } from 'node:fs/promises'
import { adapters } from '../../adapters/index.ts'
import { ConfigError, readOutbox } from '../config/index.ts'
import { greeting } from './greeting.ts'
import { runOutbox } from './outbox/cli.ts'
import { OutboxUnusable } from './outbox/index.ts'
import { type Gateway, serve } from './serve.ts'

const { DRAGOMAN_CONFIG: file = 'config/gateway.json', HOST: host = '127.0.0.1', PORT: port = '8787' } = process.env

/** Exit codes of sysexits.h: a supervisor need not start again what is configured wrongly. */
const exit = { ok: 0, usage: 64, unavailable: 69, config: 78 }

const [command, ...args] = process.argv.slice(2)

/** What people write, and other readers of JSON take. */
const notAllowed = 'Comments, and a comma before a closing bracket, are not allowed.'

try {
	if (command === 'outbox') await manageOutbox(args)
	else if (command === undefined) await start()
	else {
		console.error(`There is no command "${command}". Without one the gateway starts; "outbox" shows what it stored.`)
		process.exitCode = exit.usage
	}
} catch (thrown) {
	const [code, ...lines] = describe(thrown)
	for (const line of lines) console.error(line)
	process.exitCode = code
}

async function start(): Promise<void> {
	const gateway = await serve({ config: await readConfigFile(), adapters, host, port: readPort() })
	keepUp(gateway)
	// Standard output is the log's.
	console.error(await greeting(gateway.url, gateway.routes, gateway.runtime.crypto))
}

async function manageOutbox(args: readonly string[]): Promise<void> {
	const settings = readOutbox(await readConfigFile(), process.env)
	if (!settings) throw new ConfigError(['outbox: is missing'])
	process.exitCode = runOutbox(args, settings, console.log)
}

async function readConfigFile(): Promise<unknown> {
	const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
		throw new ConfigError([`${file} cannot be read (${cause.code}). Set DRAGOMAN_CONFIG to the configuration.`])
	})
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new ConfigError([`${file} is not JSON${placeOf(cause, text)}. ${notAllowed}`])
	}
}

// The parser's own message quotes the text, which may hold what is nobody's business.
function placeOf(cause: unknown, text: string): string {
	const position = /at position (\d+)/.exec(String(cause))?.[1]
	if (position === undefined) return ''
	const before = text.slice(0, Number(position)).split('\n')
	return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function readPort(): number {
	if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new ConfigError(['PORT must be a number up to 65535.'])
	return Number(port)
}

function keepUp(gateway: Gateway): void {
	const log = (error: unknown) => {
		gateway.runtime.log({ level: 'error', msg: 'uncaught', cause: error instanceof Error ? error.stack : undefined })
	}
	// One turn's fault is not the others'.
	process.on('uncaughtException', log)
	process.on('unhandledRejection', log)
	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		process.once(signal, async () => {
			await gateway.close()
			process.exit(exit.ok)
		})
	}
}

function describe(thrown: unknown): [code: number, ...lines: string[]] {
	if (thrown instanceof ConfigError) return [exit.config, thrown.message, ...thrown.mistakes.map((each) => `  ${each}`)]
	if (thrown instanceof OutboxUnusable) return [exit.unavailable, thrown.message]
	const { code } = thrown as NodeJS.ErrnoException
	if (code === 'EADDRINUSE') return [exit.unavailable, `Port ${port} of ${host} is in use. Set PORT to another.`]
	if (code === 'EACCES')
		return [exit.unavailable, `Port ${port} of ${host} may not be used. Set PORT to one over 1023.`]
	if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
		return [exit.unavailable, `${host} is no address of this machine. Set HOST to one.`]
	}
	throw thrown
}
