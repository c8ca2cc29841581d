/** The command line: runs a command, or says what is wrong with it. */
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { ConfigError } from '../config/index.ts'
import type { CommandEntry, Surroundings } from './commands/command.ts'
import { commands } from './commands/index.ts'
import { didYouMean, UsageError } from './commands/usage-error.ts'
import { dotenvOf } from './dotenv.ts'
import { exitCode } from './exit-code.ts'
import type { Invocation } from './invocation.ts'
import { AddressUnusable, PortInvalid } from './listen-address.ts'
import { OutboxError } from './outbox/outbox-error.ts'
import { DatabaseUnusable } from './postgres/database-unusable.ts'
import { SocketUnusable } from './socket-activation.ts'
import { writtenCommand } from './written-command.ts'

/** Where the configuration is unless `--config` or DRAGOMAN_CONFIG says otherwise. */
const defaultConfigFile = 'config/gateway.json'

/**
 * Runs what was asked for, and resolves to the exit code; undefined: the process goes on. Prints errors that people can
 * correct in words; rejects with any other.
 */
export async function runCommandLine({ command, args, config }: Invocation): Promise<number | undefined> {
	const { env } = process
	const configFile = config ?? (env.DRAGOMAN_CONFIG || defaultConfigFile)
	try {
		if (config === '') throw new UsageError('--config requires the path of the configuration file.')
		if (command === undefined && args.some((argument) => argument === '--help' || argument === '-h')) {
			const { programHelp } = await import('./commands/help.ts')
			console.log(programHelp(commands))
			return exitCode.ok
		}
		if (command === undefined && args.some((argument) => argument === '--version' || argument === '-v')) {
			console.log(await version())
			return exitCode.ok
		}
		return await run(entryOf(command ?? 'start'), args, { env, configFile })
	} catch (thrown) {
		const [code, ...lines] = describeFailure(thrown, configFile)
		for (const line of lines) console.error(line)
		return code
	}
}

async function run({ name, load }: CommandEntry, args: readonly string[], surroundings: Surroundings) {
	try {
		const { command } = await load()
		return await command.run(args, surroundings)
	} catch (thrown) {
		if (!(thrown instanceof UsageError)) throw thrown
		console.error(`${thrown.message}\nRun "${writtenCommand(`${name} --help`)}" for help.`)
		// A supervisor starts the gateway, and must not start it again.
		return name === 'start' ? exitCode.usage : exitCode.wrongUsage
	}
}

function entryOf(name: string): CommandEntry {
	const entry = commands.find((each) => each.name === name)
	if (entry) return entry
	const file = name.endsWith('.json')
		? ` To start with another configuration: ${writtenCommand(`--config ${name}`)}`
		: ''
	const names = commands.map((each) => each.name)
	throw new UsageError(
		`Unknown command "${name}"${didYouMean(name, names)}${file}\nRun "${writtenCommand('--help')}" for a list of commands.`,
	)
}

const Package = v.object({ version: v.string() })

async function version(): Promise<string> {
	const file = new URL(import.meta.resolve('dragoman/package.json'))
	return v.parse(Package, JSON.parse(await readFile(file, 'utf8'))).version
}

/** The exit code for a failure, and what to print about it. Throws what it does not know. */
function describeFailure(thrown: unknown, configFile: string): [code: number, ...lines: string[]] {
	if (thrown instanceof UsageError) return [exitCode.usage, thrown.message]
	if (thrown instanceof ConfigError) {
		const unset =
			thrown.unset.length === 0 ? [] : [`Set the missing variables in the environment, or in ${dotenvOf(configFile)}.`]
		const count = thrown.mistakes.length === 1 ? 'a mistake' : `${thrown.mistakes.length} mistakes`
		return [
			exitCode.config,
			`The configuration ${configFile} has ${count}.`,
			...thrown.mistakes.map((mistake) => `  ${mistake}`),
			...unset,
		]
	}
	if (thrown instanceof SocketUnusable || thrown instanceof PortInvalid) return [exitCode.config, thrown.message]
	if (thrown instanceof OutboxError || thrown instanceof DatabaseUnusable || thrown instanceof AddressUnusable) {
		return [exitCode.unavailable, thrown.message]
	}
	throw thrown
}
