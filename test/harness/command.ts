/** Runs the program as its users do: a process that ends by itself. */
import { spawn } from 'node:child_process'
import { environment, importing, program } from './gateway.ts'

/** What a run has written, and its exit code. */
export interface Run {
	readonly code: number | null
	readonly out: string
	readonly err: string
}

/** How a run differs from the usual. */
export interface RunOptions {
	/** Folder in which it runs. Default: that of the tests. */
	readonly cwd?: string
	readonly env?: { readonly [name: string]: string }
	/** What it reads from standard input. */
	readonly input?: string
	/** A module that runs before the program, as text. */
	readonly preload?: string
}

/** Milliseconds after which a run is ended. */
const patience = 20_000

/** Runs the program with these arguments until it ends by itself. */
export function dragoman(
	args: readonly string[],
	{ cwd, env = {}, input = '', preload }: RunOptions = {},
): Promise<Run> {
	const child = spawn(process.execPath, [...importing(preload), program, ...args], {
		...(cwd !== undefined && { cwd }),
		env: { ...environment, ...env },
		timeout: patience,
	})
	let out = ''
	let err = ''
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
	child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
	child.stdin.end(input)
	return new Promise((done) => child.once('close', (code) => done({ code, out, err })))
}
