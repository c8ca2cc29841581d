/** Gateways for tests: as a process, as a server of this process, inside it without a network, or as a Worker. */
import { type ChildProcess, spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { adapters as allAdapters } from '../../adapters/index.ts'
import { type ConfigContext, readConfig } from '../../src/config/index.ts'
import type { AdapterFactory, WireResponse } from '../../src/format/index.ts'
import { createApp } from '../../src/http/index.ts'
import { createRuntime } from '../../src/node/node-runtime.ts'
import { type Gateway as Server, serve } from '../../src/node/serve.ts'
import type { Observer } from '../../src/observer/index.ts'
import type { LogLine, Runtime } from '../../src/runtime.ts'
import { demo } from '../../src/upstream/index.ts'
import { type Call, createClient, jsonType, targetOf } from './http.ts'
import { folder, type Scope } from './scope.ts'

/** A gateway that answers calls. */
export interface Gateway {
	readonly url: string
	/** Its log so far; may be emptied. */
	readonly lines: LogLine[]
	/** Rejects with a NoAnswer when no response came. */
	send(call: Call): Promise<WireResponse>
}

/** The program, as people start it. */
export interface GatewayProcess extends Gateway {
	readonly process: ChildProcess
	/** Everything it has written so far, to both of its streams. */
	written(): string
	/** Replaces the file of its configuration. */
	configure(config: object | string): void
	/** Its exit code, when it has ended; null when a signal ended it. */
	readonly ended: Promise<number | null>
	/** Signals it and waits until it has ended. */
	end(signal?: NodeJS.Signals): Promise<number | null>
}

/** A gateway in this process that listens. */
export type GatewayServer = Gateway & Server

/** A gateway in this process without a network: for what must be tried more often than sockets allow. */
export interface GatewayInside extends Gateway {
	readonly runtime: Runtime
	/** The paths that the app itself knows, `*` among them. */
	readonly paths: readonly string[]
}

/** The built Worker in workerd, without flags. */
export interface GatewayWorker extends Gateway {
	end(): Promise<void>
}

interface Options {
	/** Secrets and keys by the names of their environment variables. */
	readonly env?: { readonly [name: string]: string }
}

export interface ProcessOptions extends Options {
	/** Arguments of the program. */
	readonly args?: readonly string[]
	/** Options of Node itself, such as a small heap. */
	readonly node?: readonly string[]
	/** A module that runs before the program, as text. */
	readonly preload?: string
	/** A command that runs the program, such as strace. */
	readonly before?: readonly string[]
	/** Called with the process before it listens. */
	spawned?(process: ChildProcess): void
	/** A file descriptor that takes standard output, instead of us: then there are no `lines`. */
	readonly output?: number
}

interface ServerOptions extends Options {
	/** All adapters by default. */
	readonly adapters?: readonly AdapterFactory[]
	/** Any port that is free by default. */
	readonly port?: number
	readonly observer?: Observer
}

export interface InsideOptions extends Omit<ServerOptions, 'observer'>, Partial<Pick<ConfigContext, 'demo'>> {
	/** Replaces parts of the runtime. */
	replace?(runtime: Runtime): Partial<Runtime>
}

export interface WorkerOptions extends Options {
	/** A module in front of the bundle, which it imports as `./bundle.js`. */
	readonly front?: string
}

/** The program did not start. */
export class StartFailed extends Error {
	readonly code: number | null
	/** Everything it had written. */
	readonly said: string

	constructor(code: number | null, said: string) {
		super(`the gateway ended with ${code}: ${said}`)
		this.code = code
		this.said = said
	}
}

type Kind<As, More> = { readonly as: As } & More

/** `start(config, { as })`: how tests start gateways. */
export type Start = ReturnType<typeof starter>

/**
 * Makes the function that starts gateways, which end with the scope. Each has a free port of this machine. A process by
 * default: its configuration may be a text, or undefined for none, and it rejects with a StartFailed.
 */
export function starter(scope: Scope) {
	function start(
		config: object | string | undefined,
		options?: ProcessOptions & { readonly as?: 'process' },
	): Promise<GatewayProcess>
	function start(config: object, options: Kind<'server', ServerOptions>): Promise<GatewayServer>
	function start(config: object, options: Kind<'inside', InsideOptions>): Promise<GatewayInside>
	function start(config: object, options: Kind<'worker', WorkerOptions>): Promise<GatewayWorker>
	async function start(
		config: object | string | undefined,
		options:
			| (ProcessOptions & { readonly as?: 'process' })
			| Kind<'server', ServerOptions>
			| Kind<'inside', InsideOptions>
			| Kind<'worker', WorkerOptions> = {},
	): Promise<Gateway> {
		if (options.as === undefined || options.as === 'process') return startProcess(scope, config, options)
		if (typeof config !== 'object') throw new Error('only a process takes another configuration than an object')
		if (options.as === 'server') return startServer(scope, config, options)
		if (options.as === 'inside') return startInside(scope, config, options)
		return startWorker(scope, config, options)
	}
	return start
}

/** The program's file. */
export const program = fileURLToPath(new URL('../../src/node/main.ts', import.meta.url))

/** What every process has in its environment: what Node compiled is kept for the next start. */
export const environment: { readonly [name: string]: string } = {
	PATH: `${process.env.PATH}`,
	NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)),
}

/** The options of Node that run a module first, which is given as text. */
export function importing(preload: string | undefined): readonly string[] {
	return preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
}

async function startProcess(
	scope: Scope,
	config: object | string | undefined,
	{ args: given = [], env = {}, node = [], preload, before = [], output, spawned }: ProcessOptions,
): Promise<GatewayProcess> {
	const file = join(folder(scope), 'gateway.json')
	const configure = (next: object | string): void => {
		// As a whole: the program must never read half of it.
		writeFileSync(`${file}.new`, typeof next === 'string' ? next : JSON.stringify(next))
		renameSync(`${file}.new`, file)
	}
	if (config !== undefined) configure(config)
	const [command = process.execPath, ...args] = [
		...before,
		process.execPath,
		...node,
		...importing(preload),
		program,
		...given,
	]
	const child = spawn(command, args, {
		env: { ...environment, PORT: '0', ...(config !== undefined && { DRAGOMAN_CONFIG: file }), ...env },
		stdio: ['ignore', output ?? 'pipe', 'pipe'],
		// A group of its own: a command in front of the program ends with it.
		detached: true,
	})
	spawned?.(child)
	const lines: LogLine[] = []
	let out = ''
	let err = ''
	let rest = ''
	child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
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
	scope.after(() => end('SIGKILL'))
	const url = await new Promise<string>((listening, failed) => {
		child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
			err += chunk
			const found = /^Listening on (\S+)$/m.exec(err)?.[1]
			if (found) listening(found)
		})
		ended.then((code) => failed(new StartFailed(code, out + err)))
	})
	return { url, lines, process: child, written: () => out + err, configure, ended, end, send: sender(scope, url) }
}

async function startServer(
	scope: Scope,
	config: object,
	{ adapters = allAdapters, ...options }: ServerOptions,
): Promise<GatewayServer> {
	const lines: LogLine[] = []
	const server = await serve({ env: {}, ...options, config, adapters, log: (line) => lines.push(line) })
	scope.after(() => server.close())
	return Object.assign(server, { lines, send: sender(scope, server.url) })
}

async function startInside(
	scope: Scope,
	config: object,
	{ adapters = allAdapters, env = {}, replace = () => ({}), ...more }: InsideOptions,
): Promise<GatewayInside> {
	const lines: LogLine[] = []
	const whole = createRuntime((line) => lines.push(line))
	scope.after(() => whole.close())
	const runtime: Runtime = { ...whole, ...replace(whole) }
	const { routes } = readConfig(config, { adapters, env, loopback: true, demo: more.demo ?? demo })
	const calls = new WeakMap<Request, Call>()
	const callOf = (request: Request): Call => calls.get(request) ?? { path: '/' }
	const app = createApp({
		...{ routes, runtime },
		headOf(request) {
			const call = callOf(request)
			return { target: targetOf(call), headers: call.headers ?? jsonType }
		},
	})
	return {
		...{ url: 'http://gateway.test', lines, runtime, paths: app.routes.map(({ path }) => path) },
		async send(call) {
			const { method = 'POST', body = '' } = call
			// As Node's parser hands them over: these methods have no body.
			const bodiless = method === 'GET' || method === 'HEAD'
			const bytes = typeof body === 'string' ? Buffer.from(body) : body
			const sent = bytes.length > chunkBytes ? inChunks(bytes) : new Uint8Array(bytes)
			const request = new Request('http://gateway.test/', { method, ...(!bodiless && { body: sent, duplex: 'half' }) })
			calls.set(request, call)
			const response = await app.fetch(request)
			return { status: response.status, headers: [...response.headers], body: await response.text() }
		},
	}
}

/** Bytes of what a network delivers at once. */
const chunkBytes = 65_536

/** A large body as a network delivers it: in chunks, between which there is time for others. */
function inChunks(bytes: Buffer): ReadableStream<Uint8Array> {
	let sent = 0
	return new ReadableStream({
		async pull(stream) {
			await nextTurn()
			stream.enqueue(new Uint8Array(bytes.subarray(sent, sent + chunkBytes)))
			sent += chunkBytes
			if (sent >= bytes.length) stream.close()
		},
	})
}

async function startWorker(scope: Scope, config: object, { env = {}, front }: WorkerOptions): Promise<GatewayWorker> {
	// Few tests need it, and it takes a second to load.
	const { runWorker } = await import('./worker.ts')
	const worker = await runWorker(folder(scope), config, env, front)
	scope.after(worker.end)
	return { ...worker, send: sender(scope, worker.url) }
}

/** Sends calls on as many connections as they need. */
function sender(scope: Scope, url: string): Gateway['send'] {
	const { send, close } = createClient(url)
	scope.after(close)
	return send
}
