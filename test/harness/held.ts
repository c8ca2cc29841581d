/** A socket that a process of its own holds, and the gateways that run on it, one after the other. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../until.ts'
import { environment } from './gateway.ts'
import { folder, type Scope } from './scope.ts'

const holder = fileURLToPath(new URL('holder.ts', import.meta.url))

export interface HoldOptions {
	/** The address or path of the socket; this machine by default. */
	readonly at?: string
	readonly env?: { readonly [name: string]: string }
	/** What a shell runs the program with; by default, what systemd says of the socket. */
	readonly command?: string
}

/** A held socket. */
export interface Held {
	/** What the holder and its gateways have written. */
	written(): string
	/** Where the gateways are called, once the socket is there. */
	url(): string
	/** Waits until the `number`-th gateway listens, counted from 1; its process id. */
	gateway(number: number): Promise<number>
	/** The holder's exit code. */
	readonly ended: Promise<number | null>
}

/** Holds a socket, and runs a gateway on it with this configuration again and again. */
export function hold(scope: Scope, config: object, { at = '127.0.0.1', env = {}, command }: HoldOptions = {}): Held {
	const file = join(folder(scope), 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const child = spawn(process.execPath, [holder, at, ...(command === undefined ? [] : [command])], {
		env: { ...environment, DRAGOMAN_CONFIG: file, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: the gateways end with it.
		detached: true,
	})
	// Each stream apart: half a line of one may come between two of the other.
	const [out, err] = [child.stdout, child.stderr].map((stream) => {
		const chunks: Buffer[] = []
		stream.on('data', (chunk) => chunks.push(chunk))
		return () => Buffer.concat(chunks).toString()
	})
	const written = () => `${out?.()}${err?.()}`
	const listening = () => err?.().match(/^Listening on /gm)?.length ?? 0
	const ended = new Promise<number | null>((done) => child.once('close', done))
	scope.after(async () => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
		} catch {
			// All of it has ended.
		}
		await ended
	})
	return {
		written,
		url: () => `http://127.0.0.1:${/^port (\d+)$/m.exec(written())?.[1]}`,
		async gateway(number) {
			if (!(await until(() => listening() >= number))) throw new Error(`no gateway ${number} listens: ${written()}`)
			return Number([...written().matchAll(/^pid (\d+)$/gm)].at(-1)?.[1])
		},
		ended,
	}
}
