/** Gateways as processes, started as people start them, with all that they write kept. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Trial } from './row.ts'

const program = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))

/** What Node compiled is kept for the next start: rows start the program a hundred times. */
const compiled = mkdtempSync(join(tmpdir(), 'dragoman-compiled-'))
process.once('exit', () => rmSync(compiled, { recursive: true, force: true }))

/** What every process of a row has in its environment. */
export const environment = { NODE_COMPILE_CACHE: compiled }

/** A gateway that listens. */
export interface Started {
	readonly url: string
	readonly process: ChildProcess
	/** Every line of its log so far. */
	readonly lines: readonly { readonly msg: string; readonly [field: string]: unknown }[]
	/** Everything it has written so far, to both of its streams. */
	written(): string
	/** Ends it, and waits until it has ended. The exit code; null when a signal ended it. */
	end(signal?: NodeJS.Signals): Promise<number | null>
}

export interface StartOptions {
	/** Environment variables: secrets, keys, the port. */
	readonly env?: { readonly [name: string]: string }
	/** Options of Node itself, such as a small heap. */
	readonly node?: readonly string[]
	/** A command that runs it, such as strace. */
	readonly before?: readonly string[]
	/** The file of its configuration. Absent: one of its own, written from `config`. */
	readonly file?: string
}

/** Starts a gateway with this configuration on a free port of this machine. It ends with the row. */
export async function startGateway(trial: Trial, config: object, options: StartOptions = {}): Promise<Started> {
	const { env = {}, node = [], before = [] } = options
	const file = options.file ?? join(folder(trial), 'gateway.json')
	if (!options.file) writeFileSync(file, JSON.stringify(config))
	const [command = process.execPath, ...args] = [...before, process.execPath, ...node, program]
	const child = spawn(command, args, {
		env: { PATH: process.env.PATH, PORT: '0', DRAGOMAN_CONFIG: file, ...environment, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: what stands between us and the gateway ends with it.
		detached: true,
	})
	const lines: { msg: string; [field: string]: unknown }[] = []
	let out = ''
	let err = ''
	let rest = ''
	child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
		out += chunk
		const whole = (rest + chunk).split('\n')
		rest = whole.pop() ?? ''
		lines.push(...whole.filter((line) => line !== '').map((line) => JSON.parse(line)))
	})
	const ended = new Promise<number | null>((done) => child.once('close', done))
	const end = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
		if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
			try {
				process.kill(-child.pid, signal)
			} catch {
				// It has ended meanwhile.
			}
		}
		return ended
	}
	trial.after(() => end('SIGKILL'))
	const url = await new Promise<string>((listening, failed) => {
		child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
			err += chunk
			const found = /^Listening on (\S+)$/m.exec(err)
			if (found?.[1]) listening(found[1])
		})
		ended.then((code) => failed(new Error(`the gateway ended with ${code}: ${err}`)))
	})
	return { url, process: child, lines, written: () => out + err, end }
}

/** An empty folder, which goes with the row. */
export function folder(trial: Trial): string {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-fault-'))
	trial.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}
