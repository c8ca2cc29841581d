/**
 * An upstream on bare sockets that misbehaves, one way a path, and counts what reached it. It reads HTTP/1.1 by itself,
 * so that it can answer with bytes that no server would send.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Trial } from './row.ts'

/** A call as it reached the upstream. */
export interface Reached {
	readonly path: string
	/** Names in lower case. */
	readonly headers: ReadonlyMap<string, string>
	readonly body: string
	/** The nonce of the turn, wherever its format has it. Empty: there is none. */
	readonly nonce: string
	/** When the whole of it was there, as `performance.now`. */
	readonly at: number
}

/** A connection to answer on. */
export interface Line {
	readonly socket: Socket
	/** The other side still listens. */
	readonly open: boolean
	/** Which call of this connection is being answered, from 1. */
	readonly turn: number
	/** Resolves when the bytes are on their way, or the connection is gone. */
	write(bytes: string | Buffer): Promise<void>
	/** Resolves after so many milliseconds, or when the connection is gone. */
	pause(milliseconds: number): Promise<void>
	/** Resolves when the connection is gone: for whoever answers nothing more. */
	readonly gone: Promise<void>
}

/** What happens to a call. When it resolves, the connection takes the next one. */
export type Act = (line: Line, call: Reached) => void | Promise<void>

/** An upstream that listens. */
export interface FaultUpstream {
	readonly port: number
	/** Where it behaves as that one of its behaviours. */
	at(name: string): string
	/** How often each nonce came. */
	readonly seen: ReadonlyMap<string, number>
	/** Calls in all. */
	readonly calls: number
	/** Connections that are open. */
	readonly connections: number
	/** Ends every connection and refuses new ones, until it opens again on the same port. */
	shut(): Promise<void>
	open(): Promise<void>
}

/** What marks a turn, so that its answer can be told from every other one. */
export const noncePattern = /nonce-\d+-\d+/g

/** An upstream with these behaviours by their names; a path that is none of them is a mistake of the row. It ends with the row. */
export async function faultUpstream(
	trial: Trial,
	behaviours: { readonly [name: string]: { readonly act: Act } },
): Promise<FaultUpstream> {
	const sockets = new Set<Socket>()
	const seen = new Map<string, number>()
	let calls = 0
	let port = 0

	const server = createServer({ noDelay: true }, (socket) => {
		sockets.add(socket)
		const gone = new Promise<void>((done) => {
			socket.once('close', () => {
				sockets.delete(socket)
				done()
			})
		})
		socket.on('error', () => {})
		serve(socket, gone, (line, call) => {
			calls++
			seen.set(call.nonce, (seen.get(call.nonce) ?? 0) + 1)
			const behaviour = behaviours[call.path.slice(1)]
			if (!behaviour) throw new Error(`there is no behaviour at ${call.path}`)
			return behaviour.act(line, call)
		})
	})
	const open = () =>
		new Promise<void>((listening, failed) => {
			// Hundreds of connections come at once: one that is not taken in is tried again a second later.
			server.once('error', failed).listen(port, '127.0.0.1', 4096, () => {
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
	trial.after(shut)
	return {
		get port() {
			return port
		},
		at(name) {
			if (!behaviours[name]) throw new Error(`there is no behaviour ${name}`)
			return `http://127.0.0.1:${port}/${name}`
		},
		seen,
		get calls() {
			return calls
		},
		get connections() {
			return sockets.size
		},
		shut,
		open,
	}
}

/** Reads one call after the other, and has each answered before the next. */
function serve(socket: Socket, gone: Promise<void>, act: Act): void {
	let bytes = Buffer.alloc(0)
	let answering = false
	let turn = 0
	const line: Line = {
		socket,
		gone,
		get open() {
			return !socket.destroyed
		},
		get turn() {
			return turn
		},
		write: (chunk) =>
			new Promise((done) => {
				if (socket.destroyed || !socket.writable) return done()
				gone.then(done)
				socket.write(chunk, () => done())
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
	const next = async (): Promise<void> => {
		if (answering) return
		const read = readCall(bytes)
		if (!read) return
		bytes = bytes.subarray(read.length)
		answering = true
		turn++
		await act(line, read.call)
		answering = false
		if (!socket.destroyed) await next()
	}
	socket.on('data', (chunk) => {
		bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
		void next()
	})
}

/** The first call of these bytes, and how many are its own; undefined while some are missing. The gateway declares lengths. */
function readCall(bytes: Buffer): { call: Reached; length: number } | undefined {
	const end = bytes.indexOf('\r\n\r\n')
	if (end === -1) return undefined
	const [first = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
	const headers = new Map(
		fields.map((field) => {
			const colon = field.indexOf(':')
			return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const
		}),
	)
	const length = end + 4 + Number(headers.get('content-length') ?? 0)
	if (bytes.length < length) return undefined
	const body = bytes.toString('utf8', end + 4, length)
	const [, path = ''] = first.split(' ')
	const [nonce = ''] = body.match(noncePattern) ?? []
	return { call: { path, headers, body, nonce, at: performance.now() }, length }
}
