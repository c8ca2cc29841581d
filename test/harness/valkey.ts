/** A Valkey or Redis server of a test: on this machine, in a folder of its own, ended with its scope. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { has } from '../tools.ts'
import { folder, type Scope } from './scope.ts'

/** The program that is there; undefined: there is none. */
export const valkeyProgram = ['valkey-server', 'redis-server'].find(has)

/** The password of every such server: no log, error or dump may show it. */
export const valkeyPassword = 'canary-password-of-the-state'

/** A server that can be treated badly. */
export interface ValkeyServer {
	/** With the password in it. */
	readonly url: string
	readonly port: number
	/** Starts it again, at the same port and without what it held, and waits until it answers. */
	start(): Promise<void>
	/** Kills it, and waits until it has ended. */
	kill(): Promise<void>
	/** Stops it from doing anything, while its connections stay open. */
	hang(): void
	/** Ends that. */
	resume(): void
}

/** Starts a server with these directives besides, such as `['--maxmemory', '2mb']`. */
export async function startValkey(scope: Scope, directives: readonly string[] = []): Promise<ValkeyServer> {
	const home = folder(scope)
	const port = await freePort()
	let running: ChildProcess | undefined

	async function start(): Promise<void> {
		const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', '', '--appendonly', 'no']
		const child = spawn(valkeyProgram ?? '', [...args, '--requirepass', valkeyPassword, ...directives], {
			stdio: ['ignore', 'pipe', 'inherit'],
		})
		running = child
		const ready = Promise.withResolvers<void>()
		let said = ''
		child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
			said += chunk
			if (said.includes('Ready to accept connections')) ready.resolve()
		})
		child.once('error', ready.reject)
		child.once('exit', () => ready.reject(new Error(`the server of ${join(home)} has ended: ${said}`)))
		await ready.promise
	}

	async function kill(): Promise<void> {
		const child = running
		running = undefined
		if (!child || child.exitCode !== null || child.signalCode !== null) return
		const ended = new Promise((done) => child.once('exit', done))
		child.kill('SIGKILL')
		await ended
	}

	scope.after(kill)
	await start()
	return {
		url: `redis://:${valkeyPassword}@127.0.0.1:${port}`,
		port,
		start,
		kill,
		hang: () => void running?.kill('SIGSTOP'),
		resume: () => void running?.kill('SIGCONT'),
	}
}

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const address = server.address()
	await new Promise((closed) => server.close(closed))
	if (address === null || typeof address === 'string') throw new Error('a port was asked for')
	return address.port
}
