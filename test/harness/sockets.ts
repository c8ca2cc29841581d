/** Callers on bare sockets: bytes as they are, at any pace, and what becomes of the connection. */
import { connect, createServer, type Socket } from 'node:net'
import { type Call, jsonType, targetOf } from './http.ts'
import type { Scope } from './scope.ts'

/** A connection, and what is known of it. */
export interface Line {
	readonly socket: Socket
	/** All that came so far. */
	received(): string
	/** Milliseconds since it was opened until it ended; undefined while it is open. */
	closedAfter(): number | undefined
	/** Resolves when it has ended, by whichever side. */
	readonly closed: Promise<void>
}

/** Opens a connection, which ends with the scope. */
export function dial(scope: Scope, url: string): Line {
	const from = performance.now()
	const chunks: Buffer[] = []
	let after: number | undefined
	const socket = connectTo(url)
	const closed = new Promise<void>((done) => {
		socket
			.on('data', (chunk) => chunks.push(chunk))
			// Some servers wait for the other side to end, too.
			.on('end', () => socket.end())
			.on('close', () => {
				after = performance.now() - from
				done()
			})
	})
	scope.after(() => socket.destroy())
	return {
		...{ socket, closed },
		received: () => Buffer.concat(chunks).toString('latin1'),
		closedAfter: () => after,
	}
}

/** A socket that ignores its errors and stays open when the other side has ended. */
export function connectTo(url: string): Socket {
	const { hostname, port } = new URL(url)
	return connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on('error', () => {})
}

/** What came back for bytes that were sent as they are. */
export interface Exchanged {
	/** Everything that came, in Latin-1. */
	readonly text: string
	/** The statuses of the answers, in their order. */
	readonly statuses: readonly number[]
	/** Nothing had come, and the connection was still open, when the patience ended. */
	readonly hung: boolean
}

export interface ExchangeOptions {
	/** Milliseconds to wait at most; 10,000 by default. */
	readonly patience?: number
	/** Milliseconds after an answer in which nothing more has come, so that nothing more is expected; 150 by default. */
	readonly quiet?: number
	/** Whether our side of the connection ends behind the bytes. */
	readonly ends?: boolean | undefined
}

/** Sends bytes, a text as Latin-1, and waits for the end of the connection, of the answers, or of the patience. */
export async function exchange(
	url: string,
	bytes: string | Buffer,
	{ patience = 10_000, quiet = 150, ends = false }: ExchangeOptions = {},
): Promise<Exchanged> {
	const chunks: Buffer[] = []
	let hung = false
	const socket = connectTo(url)
	let silence: NodeJS.Timeout | undefined
	let limit: NodeJS.Timeout | undefined
	await new Promise<void>((done) => {
		limit = setTimeout(() => {
			hung = chunks.length === 0
			done()
		}, patience)
		socket
			.on('data', (chunk) => {
				chunks.push(chunk)
				clearTimeout(silence)
				silence = setTimeout(done, quiet)
			})
			.on('end', done)
			.on('close', done)
			.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
		if (ends) socket.end()
	})
	clearTimeout(silence)
	clearTimeout(limit)
	socket.destroy()
	const text = Buffer.concat(chunks).toString('latin1')
	// The bodies of ours never look like a status line.
	const statuses = Array.from(text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm), ([, status]) => Number(status))
	return { text, statuses, hung }
}

/** A call as bytes, in Latin-1, with the length of its body; the connection is to end after it. */
export function asBytes(call: Call): string {
	const { method = 'POST', headers = jsonType, body = '' } = call
	const text = Buffer.from(body).toString('latin1')
	const fields = [['host', 'gateway.test'], ...headers, ['content-length', `${text.length}`], ['connection', 'close']]
	const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
	return `${method} ${targetOf(call)} HTTP/1.1\r\n${head}\r\n${text}`
}

/** A port of this machine that nothing uses at the moment. */
export function freePort(): Promise<number> {
	return new Promise((done) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const address = server.address()
			server.close(() => done(typeof address === 'object' && address ? address.port : 0))
		})
	})
}
