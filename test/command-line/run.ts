/** Runs the command line in this process, and makes folders for it and for the program. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { runCommandLine } from '../../src/node/command-line.ts'
import { readInvocation } from '../../src/node/invocation.ts'
import type { Run } from '../harness/command.ts'

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
