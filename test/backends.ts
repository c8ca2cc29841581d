/** Backends in any language, started by tests on a free port and ended with them. */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { expect, onTestFinished } from 'vitest'

/** A program that serves a backend. */
export interface Program {
	readonly command: readonly [program: string, ...args: string[]]
	/** The environment, to which PATH is added. */
	readonly env?: { readonly [name: string]: string }
}

/** Starts what `programOn` makes for a port, and waits until it listens there. Returns its URL, without a path. */
export async function startBackend(programOn: (port: number) => Program): Promise<string> {
	const port = await freePort()
	const { command, env = {} } = programOn(port)
	const [program, ...args] = command
	const own = { PATH: process.env.PATH, HOME: process.env.HOME, ...env }
	// A group of its own, because a launcher may start the program as another process.
	const child = spawn(program, args, { env: own, stdio: ['ignore', 'ignore', 'pipe'], detached: true })
	let said = ''
	child.stderr.on('data', (chunk) => (said += chunk))
	const ended = new Promise<void>((done) => child.once('close', () => done()))
	onTestFinished(async () => {
		if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid)
		await ended
	})
	await expect.poll(async () => (child.exitCode === null ? reaches(port) : said), { timeout: 60_000 }).toBe(true)
	return `http://127.0.0.1:${port}`
}

function reaches(port: number): Promise<boolean> {
	return new Promise((done) => {
		const socket = connect(port, '127.0.0.1', () => done(true)).on('error', () => done(false))
		socket.on('connect', () => socket.destroy())
	})
}

/** A port of this machine on which nobody listens. */
export function freePort(): Promise<number> {
	return new Promise((found) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const address = server.address()
			server.close(() => found(typeof address === 'object' && address ? address.port : 0))
		})
	})
}
