/** Splits the arguments of the program into its command and the arguments of that. Imports nothing, because every start reads it. */

/** What the program was asked to do. */
export interface Invocation {
	/** Absent: none was named, which starts the gateway. */
	readonly command?: string
	/** What the command gets. */
	readonly args: readonly string[]
	/** The path behind `--config`; empty if it is missing. Absent: the option was not given. */
	readonly config?: string
}

/** Reads the arguments behind the program's own name. `--config FILE` may stand anywhere; a command comes before its options. */
export function readInvocation(argv: readonly string[]): Invocation {
	const args: string[] = []
	let config: string | undefined
	for (let i = 0; i < argv.length; i++) {
		const argument = argv[i] ?? ''
		if (argument === '--') {
			args.push(...argv.slice(i))
			break
		}
		if (argument === '--config') config = argv[++i] ?? ''
		else if (argument.startsWith('--config=')) config = argument.slice('--config='.length)
		else args.push(argument)
	}
	const [command, ...rest] = args
	const isNamed = command !== undefined && !command.startsWith('-')
	return {
		...(isNamed ? { command, args: rest } : { args }),
		...(config !== undefined && { config }),
	}
}

/** Whether the gateway is to be started. */
export function startsGateway({ command = 'start', args }: Invocation): boolean {
	return command === 'start' && !args.some((argument) => /^(?:-h|--help|-v|--version)$/.test(argument))
}
