/** The gateway as a process, with what it says. */
import { spawn } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The program with this configuration: its text on standard error, and its log's lines once it has ended. Its log goes
 * to `output`, where that is given, and is not read.
 */
export async function start(
	config: object | string | undefined,
	env: { [name: string]: string } = {},
	output: number | 'pipe' = 'pipe',
) {
	const folder = await mkdtemp(join(tmpdir(), 'dragoman-node-'))
	const file = join(folder, 'gateway.json')
	if (config) await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config))
	const program = spawn(process.execPath, ['src/node/main.ts'], {
		cwd: root,
		env: { PATH: process.env.PATH, PORT: '0', ...(config && { DRAGOMAN_CONFIG: file }), ...env },
		stdio: ['ignore', output, 'pipe'],
	})
	let told = ''
	let logged = ''
	const listening = Promise.withResolvers<string>()
	program.stdout?.on('data', (chunk) => {
		logged += chunk
	})
	program.stderr?.on('data', (chunk) => {
		told += chunk
		const url = /^Listening on (\S+)$/m.exec(told)?.[1]
		if (url) listening.resolve(url)
	})
	const ended = new Promise<number | null>((done) => {
		program.once('close', (code) => {
			listening.reject(new Error(`ended with ${code}: ${told}`))
			done(code)
		})
	})
	listening.promise.catch(() => {})
	onTestFinished(async () => {
		program.kill('SIGKILL')
		await ended
		await rm(folder, { recursive: true })
	})
	return {
		url: listening.promise,
		ended,
		told: () => told,
		lines: () =>
			logged
				.split('\n')
				.filter(Boolean)
				.map((line): object => JSON.parse(line)),
		/** Puts another configuration in the place of the first, as a whole. */
		async configure(next: object | string) {
			const written = `${file}.new`
			await writeFile(written, typeof next === 'string' ? next : JSON.stringify(next))
			await rename(written, file)
		},
		kill: (signal: NodeJS.Signals) => program.kill(signal),
	}
}
