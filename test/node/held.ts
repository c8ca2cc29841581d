/** A socket that a process of its own holds, and the gateways that run on it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../until.ts'

const holder = fileURLToPath(new URL('holder.ts', import.meta.url))

/** The smallest configuration. */
export const config = {
	upstream: { url: 'builtin:demo' },
	routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
}

/** Registers what is to be ended in the end. */
type After = (end: () => void | Promise<void>) => void

/** A folder that is gone in the end. */
export function folder(after: After): string {
	const path = mkdtempSync(join(tmpdir(), 'dragoman-held-'))
	after(() => rmSync(path, { recursive: true, force: true }))
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
	after: After,
	at: string,
	env: { [name: string]: string } = {},
	given: object = config,
	command: string[] = [],
): Held {
	const file = join(folder(after), 'gateway.json')
	writeFileSync(file, JSON.stringify(given))
	const child = spawn(process.execPath, [holder, at, ...command], {
		env: { PATH: process.env.PATH, DRAGOMAN_CONFIG: file, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: the gateways end with it.
		detached: true,
	})
	// Of each stream its own, for half a line of one may come between two of the other.
	const [out, err] = [child.stdout, child.stderr].map((stream) => {
		const chunks: Buffer[] = []
		stream.on('data', (chunk) => chunks.push(chunk))
		return () => Buffer.concat(chunks).toString()
	})
	const told = () => `${out?.()}${err?.()}`
	const listening = () => err?.().match(/^Listening on /gm)?.length ?? 0
	const ended = new Promise<number | null>((done) => child.once('close', done))
	after(async () => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
		} catch {
			// All of it has ended.
		}
		await ended
	})
	return {
		told,
		port: () => Number(/^port (\d+)$/m.exec(told())?.[1]),
		async gateway(number) {
			if (!(await until(() => listening() >= number))) throw new Error(`no gateway ${number} listens: ${told()}`)
			return Number([...told().matchAll(/^pid (\d+)$/gm)].at(-1)?.[1])
		},
		ended,
	}
}
