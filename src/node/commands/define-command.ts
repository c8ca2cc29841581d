/** Makes a command from one declaration of its options and its help. Unknown options are refused. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Environment } from '../../config/index.ts'
import type { Command, Description, Given, Options, Surroundings } from './command.ts'
import { helpOf } from './help.ts'
import { didYouMean, UsageError } from './usage-error.ts'

/** Makes a command: prints its help when it is asked for, and otherwise runs it with its arguments checked. */
export function defineCommand<const O extends Options>(
	description: Description<O> & {
		run(given: Given<O>, surroundings: Surroundings): Promise<number | undefined>
	},
): Command {
	return {
		async run(args, surroundings) {
			if (args.includes('--help') || args.includes('-h')) {
				console.log(helpOf(description))
				return 0
			}
			return description.run(parse(args, description, surroundings.env), surroundings)
		},
	}
}

/** Throws a UsageError if there are arguments that a command does not take. */
export function refuseArguments(positionals: readonly string[]): void {
	const [first] = positionals
	if (first !== undefined) throw new UsageError(`Unexpected argument "${first}".`)
}

function parse<O extends Options>(args: readonly string[], { name, options }: Description<O>, env: Environment) {
	const config = { args: [...args], options, allowPositionals: true } as const satisfies ParseArgsConfig
	for (const token of parseArgs({ ...config, strict: false, tokens: true }).tokens) {
		if (token.kind !== 'option' || Object.hasOwn(options, token.name)) continue
		const names = Object.keys(options)
		throw new UsageError(
			`Unknown option ${token.rawName}${didYouMean(token.rawName, [...names.map((each) => `--${each}`), '--help', '--config'])}`,
		)
	}
	const swallowed = Object.keys(options).find(
		(option) => env[`npm_config_${option.replaceAll('-', '_')}`] !== undefined,
	)
	if (swallowed !== undefined && env.npm_lifecycle_event !== undefined) {
		throw new UsageError(
			`npm took --${swallowed} for an option of its own. Put -- in front of the arguments: npm run ${name} -- …`,
		)
	}
	try {
		return parseArgs({ ...config, strict: true })
	} catch (cause) {
		throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
	}
}
