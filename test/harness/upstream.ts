/**
 * An upstream that does what a script says, and keeps every call. It reads HTTP/1.1 by itself, so that it can answer with
 * bytes that no server would send.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Fields, WireRequest, WireResponse } from '../../src/format/index.ts'
import { json, says } from './http.ts'
import type { Scope } from './scope.ts'

/** A call as it reached the upstream. */
export interface Received extends WireRequest {
	/** The path with its query, as it was sent. */
	readonly path: string
	/** The request line and the header lines as they were sent. */
	readonly head: readonly string[]
	/** When the whole call was there, as `performance.now`. */
	readonly at: number
}

/** The connection of a call. */
export interface Connection {
	readonly socket: Socket
	/** Whether the other side still listens. */
	readonly open: boolean
	/** Resolves when the bytes are on their way, or the connection is gone. */
	write(bytes: string | Buffer): Promise<void>
	/** Resolves after these milliseconds, or when the connection is gone. */
	pause(milliseconds: number): Promise<void>
	/** Resolves when the connection is gone. */
	readonly gone: Promise<void>
}

/** What is sent back: a response, or bytes as they are. Nothing: the script has done all there is to do. */
type Reply = WireResponse | string | Buffer | undefined

/** What an upstream does with a call. The next call of the connection is read when it has ended. */
export type Script = (call: Received, connection: Connection) => Reply | Promise<Reply>

export interface Upstream {
	/** Without a path. */
	readonly url: string
	/** Every call so far; may be emptied. */
	readonly calls: Received[]
	/** How many connections were opened so far. */
	readonly connections: number
	/** Ends every connection and refuses new ones. */
	shut(): Promise<void>
	/** Listens again, on the same port. */
	open(): Promise<void>
}

/** One script for all calls, or one for each path; other paths get a 404. */
export type Scripts = Script | { readonly [path: string]: Script }

/** Starts an upstream on this machine; it ends with the scope. By default it says "Hello". */
export async function startUpstream(
	scope: Scope,
	scripts: Scripts = () => json(says('Hello')),
	at: { readonly host?: string; readonly port?: number } = {},
): Promise<Upstream> {
	const { host = '127.0.0.1' } = at
	const sockets = new Set<Socket>()
	const calls: Received[] = []
	let connections = 0
	let port = at.port ?? 0
	const notFound: Script = () => ({ status: 404, headers: [], body: '' })
	const run: Script = (call, connection) => {
		calls.push(call)
		const script = typeof scripts === 'function' ? scripts : (scripts[call.path.replace(/\?.*/, '')] ?? notFound)
		return script(call, connection)
	}
	const server = createServer({ noDelay: true }, (socket) => {
		connections++
		sockets.add(socket)
		socket.on('error', () => {}).once('close', () => sockets.delete(socket))
		serve(socket, run)
	})
	const open = () =>
		new Promise<void>((listening, failed) => {
			// Hundreds of connections come at once: one that is not accepted is tried again a second later.
			server.once('error', failed).listen(port, host, 4096, () => {
				port = (server.address() as AddressInfo).port
				listening()
			})
		})
	const shut = () =>
		new Promise<void>((closed) => {
			server.close(() => closed())
			for (const socket of sockets) socket.resetAndDestroy()
		})
	await open()
	scope.after(shut)
	return {
		get url() {
			return `http://${host}:${port}`
		},
		calls,
		get connections() {
			return connections
		},
		...{ shut, open },
	}
}

/** Reads one call after the other, and answers each before it reads the next. */
function serve(socket: Socket, run: Script): void {
	const connection = connectionOf(socket)
	let bytes = Buffer.alloc(0)
	let answering = false
	const next = async (): Promise<void> => {
		const read = answering ? undefined : readCall(bytes)
		if (!read) return
		bytes = bytes.subarray(read.length)
		answering = true
		const reply = await run(read.call, connection)
		if (reply !== undefined) await connection.write(bytesOf(reply))
		answering = false
		if (connection.open) await next()
	}
	socket.on('data', (chunk) => {
		bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
		void next()
	})
}

function connectionOf(socket: Socket): Connection {
	const gone = new Promise<void>((done) => socket.once('close', () => done()))
	return {
		...{ socket, gone },
		get open() {
			return !socket.destroyed
		},
		write: (bytes) =>
			new Promise((done) => {
				if (socket.destroyed || !socket.writable) return done()
				gone.then(done)
				socket.write(bytes, () => done())
			}),
		pause(milliseconds) {
			const { promise, resolve } = Promise.withResolvers<void>()
			const timer = setTimeout(resolve, milliseconds)
			socket.once('close', resolve)
			return promise.finally(() => {
				clearTimeout(timer)
				socket.off('close', resolve)
			})
		},
	}
}

/** The first call of these bytes, and how many are its own; undefined while some are missing. The gateway declares lengths. */
function readCall(bytes: Buffer): { call: Received; length: number } | undefined {
	const end = bytes.indexOf('\r\n\r\n')
	if (end === -1) return undefined
	const head = bytes.toString('latin1', 0, end).split('\r\n')
	const headers = head.slice(1).map((line): readonly [string, string] => {
		const colon = line.indexOf(':')
		return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
	})
	const declared = headers.find(([name]) => name === 'content-length')?.[1] ?? 0
	const length = end + 4 + Number(declared)
	if (bytes.length < length) return undefined
	const [method = '', path = ''] = (head[0] ?? '').split(' ')
	const query = [...new URL(path, 'http://upstream.test').searchParams]
	const body = bytes.toString('utf8', end + 4, length)
	return { call: { method, path, query, headers, body, head, at: performance.now() }, length }
}

/** A response as bytes. Its length is added unless it declares one or comes in chunks; bytes stay as they are. */
export function bytesOf(
	reply: string | Buffer | (Omit<WireResponse, 'body'> & { readonly body: string | Buffer }),
): Buffer {
	if (typeof reply === 'string' || Buffer.isBuffer(reply)) return Buffer.from(reply)
	const { status, headers, body } = reply
	const sized = headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))
	const bodiless = status === 204 || status === 304
	const length: Fields = sized || bodiless ? [] : [['content-length', String(Buffer.byteLength(body))]]
	return Buffer.concat([headOf(status, [...headers, ...length]), Buffer.from(bodiless ? '' : body)])
}

/** The head of a response as bytes. */
export function headOf(status: number, headers: Fields): Buffer {
	const lines = [`HTTP/1.1 ${status} Status`, ...headers.map(([name, value]) => `${name}: ${value}`)]
	return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
