/** What a command of `dragoman` is made of. */
import type { ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import type { Environment } from '../../config/index.ts'

/** What a command gets beside its arguments. */
export interface Surroundings {
	/** The environment of the process, without `.env`. */
	readonly env: Environment
	/** Path of the configuration file: `--config`, or DRAGOMAN_CONFIG, or `config/gateway.json`. */
	readonly configFile: string
}

/** A command as the program runs it. */
export interface Command {
	/** Runs it, and resolves to the exit code; undefined: the process goes on by itself. Rejects with a UsageError or a ConfigError. */
	run(args: readonly string[], surroundings: Surroundings): Promise<number | undefined>
}

/** A command as the list has it. */
export interface CommandEntry {
	readonly name: string
	/** A few words for the help of the program. */
	readonly summary: string
	load(): Promise<{ readonly command: Command }>
}

/** An option of a command, and what the help says about it. */
interface Option extends ParseArgsOptionDescriptor {
	/** What its value is called in the help, such as `FILE`. Absent: it has none. */
	readonly value?: string
	readonly about: string
}

/** Options by name, without the dashes. */
export type Options = { readonly [name: string]: Option }

/** How a command is written and explained. */
export interface Description<O extends Options = Options> {
	readonly name: string
	/** What stands behind the name, one line for each way to write it: `FILE... [OPTIONS]`. */
	readonly usage: readonly string[]
	/** Paragraphs of the help. */
	readonly about: readonly string[]
	readonly options: O
	/** Whole commands, with what each does. */
	readonly examples: readonly (readonly [command: string, does: string])[]
	/** The exit codes, as in `0 success, 2 wrong usage`. */
	readonly exitCodes: string
}

/** The values of the options that a description names, and the other arguments. */
export type Given<O extends Options> = ReturnType<
	typeof parseArgs<{ readonly options: O; readonly allowPositionals: true; readonly strict: true }>
>
