/** Callers on bare sockets: bytes as they are, at the pace they are told, and what becomes of the connection. */
import { connect, type Socket } from 'node:net'
import type { Sent } from '../runtime/http.ts'
import type { Trial } from './row.ts'

/** A connection, and what is known of it. */
export interface Line {
	readonly socket: Socket
	/** All that came so far. */
	received(): string
	/** Milliseconds since it was opened until it ended; undefined while it is open. */
	closedAfter(): number | undefined
	/** When it has ended, by whichever side. */
	readonly closed: Promise<void>
}

/** Opens a connection, which ends with the row. */
export function dial(trial: Trial, url: string): Line {
	const { hostname, port } = new URL(url)
	const from = performance.now()
	const chunks: Buffer[] = []
	let after: number | undefined
	const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
	const closed = new Promise<void>((done) => {
		socket
			.on('data', (chunk) => chunks.push(chunk))
			// The other side has nothing more to say; some wait for us to end, too.
			.on('end', () => socket.end())
			.on('error', () => {})
			.on('close', () => {
				after = performance.now() - from
				done()
			})
	})
	trial.after(() => socket.destroy())
	return {
		...{ socket, closed },
		received: () => Buffer.concat(chunks).toString('latin1'),
		closedAfter: () => after,
	}
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
	/** Milliseconds to wait at most. */
	readonly patience?: number
	/** Milliseconds after which nothing more is expected behind an answer. */
	readonly quiet?: number
	/** The caller says that they have no more to send. */
	readonly ends?: boolean | undefined
}

/** Sends bytes, a text as Latin-1, and waits for the end of the connection, of the answers, or of the patience. */
export async function exchange(
	url: string,
	bytes: string | Buffer,
	{ patience = 10_000, quiet = 150, ends = false }: ExchangeOptions = {},
): Promise<Exchanged> {
	const { hostname, port } = new URL(url)
	const chunks: Buffer[] = []
	let hung = false
	const socket = connect({ host: hostname, port: Number(port) })
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
			.on('error', () => {})
			.on('close', done)
			.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
		if (ends) socket.end()
	})
	clearTimeout(silence)
	clearTimeout(limit)
	socket.destroy()
	const text = Buffer.concat(chunks).toString('latin1')
	return { text, statuses: statusesOf(text), hung }
}

/** The statuses in what came over a connection: the bodies of ours never look like a status line. */
function statusesOf(text: string): number[] {
	return Array.from(text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm), ([, status]) => Number(status))
}

/** A call as bytes, in Latin-1, with the length that its body has; the connection is to end after it. */
export function asBytes({ method = 'POST', path, headers = [], body = '' }: Sent): string {
	const text = Buffer.from(body).toString('latin1')
	const fields = [['host', 'gateway.test'], ...headers, ['content-length', `${text.length}`], ['connection', 'close']]
	return `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`
}
