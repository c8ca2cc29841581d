/** A socket that a process of its own holds, and the gateways that run on it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'

const holder = fileURLToPath(new URL('holder.ts', import.meta.url))

/** The smallest configuration. */
export const config = {
	upstream: { url: 'builtin:demo' },
	routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
}

/** A folder that is gone when the test is. */
export function folder(): string {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-held-'))
	onTestFinished(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** A held socket. */
export interface Held {
	/** What the holder and its gateways have said. */
	told(): string
	port(): number
	/** The id of the how-manieth gateway on it, once that listens. */
	gateway(number: number): Promise<number>
	/** The holder's exit code. */
	readonly ended: Promise<number | null>
}

/** A socket at this address or path, and gateways on it. */
export function hold(
	at: string,
	env: { [name: string]: string } = {},
	given: object = config,
	command: string[] = [],
): Held {
	const file = join(folder(), 'gateway.json')
	writeFileSync(file, JSON.stringify(given))
	const child = spawn(process.execPath, [holder, at, ...command], {
		env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: the gateways end with it.
		detached: true,
	})
	let told = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (chunk) => {
			told += chunk
		})
	}
	const ended = new Promise<number | null>((done) => child.once('close', done))
	onTestFinished(async () => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
		} catch {
			// All of it has ended.
		}
		await ended
	})
	return {
		told: () => told,
		port: () => Number(/^port (\d+)$/m.exec(told)?.[1]),
		async gateway(number) {
			await expect.poll(() => told.match(/^Listening on /gm)?.length, { timeout: 20_000, interval: 10 }).toBe(number)
			return Number([...told.matchAll(/^pid (\d+)$/gm)].at(-1)?.[1])
		},
		ended,
	}
}
