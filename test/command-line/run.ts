/** Runs the program as its users do: a process in a folder of its own. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { runCommandLine } from '../../src/node/command-line.ts'
import { readInvocation } from '../../src/node/invocation.ts'
import { environment, program } from '../harness/gateway.ts'

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
}

/** Milliseconds after which a run is ended. */
const patience = 20_000

/** Runs the command line in this process, which is much faster, and where nothing but its words and its code counts. */
export async function inside(args: readonly string[]): Promise<Run> {
	const said = { out: '', err: '' }
	const hear = (method: 'log' | 'error', where: 'out' | 'err') =>
		vi.spyOn(console, method).mockImplementation((line: string) => {
			said[where] += `${line}\n`
		})
	const spies = [hear('log', 'out'), hear('error', 'err')]
	try {
		const code = await runCommandLine(readInvocation(args))
		return { code: code ?? null, ...said }
	} finally {
		for (const spy of spies) spy.mockRestore()
	}
}

/** Runs the program with these arguments until it ends by itself. */
export function dragoman(args: readonly string[], { cwd, env = {}, input = '' }: RunOptions = {}): Promise<Run> {
	const child = spawn(process.execPath, [program, ...args], {
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

/** A folder with these files, and what removes it. Values that are no text are written as JSON. */
export function folderWith(files: { readonly [path: string]: unknown }): { path: string; remove(): void } {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-command-'))
	for (const [name, content] of Object.entries(files)) {
		const file = join(path, name)
		mkdirSync(dirname(file), { recursive: true })
		writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
	}
	return { path, remove: () => rmSync(path, { recursive: true }) }
}
