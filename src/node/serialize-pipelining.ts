/** Handles the pipelined requests of a connection one at a time, and ends the connection after the answers that it owes. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { RequestListener } from './smuggling-guard.ts'

/** Requests of a connection that may wait. Proxies and platforms wait for each response, so none of theirs do. */
const maxWaiting = 16

/** Milliseconds for which the client may read the last answer before its connection is cut. */
const lingerTime = 500

/** The listeners of an HTTP server. */
export interface Pipeline {
	readonly request: RequestListener
	/** For bytes that are not HTTP, and for requests that do not end in time. */
	readonly clientError: (error: NodeJS.ErrnoException, socket: Socket) => void
	/** For CONNECT, which opens nothing. */
	readonly connect: (incoming: IncomingMessage, socket: Socket) => void
}

interface Exchange {
	readonly incoming: IncomingMessage
	readonly outgoing: ServerResponse
}

interface Connection {
	current: Exchange | undefined
	readonly waiting: Exchange[]
	/** No further request is handled. What is to be sent behind the answers that are owed; empty: nothing. */
	lastBytes?: string
}

/**
 * Handles a request once the previous response has been handed to the system. Node would handle all of them at once, and
 * buffer the responses for a client that never reads them. What cannot be handled ends the connection, but not before
 * the good requests that came first are answered; of more than can wait, the one that is being handled is.
 */
export function serializePipelining(handle: RequestListener): Pipeline {
	const connections = new WeakMap<Socket, Connection>()
	const connectionOf = (socket: Socket): Connection => {
		const known = connections.get(socket)
		if (known) return known
		const connection: Connection = { current: undefined, waiting: [] }
		connections.set(socket, connection)
		return connection
	}

	const begin = (connection: Connection, exchange: Exchange): void => {
		const { incoming, outgoing } = exchange
		connection.current = exchange
		outgoing.on('close', () => {
			connection.current = undefined
			const next = connection.waiting.shift()
			if (next && incoming.socket.writable) begin(connection, next)
			else if (connection.lastBytes !== undefined) endConnection(incoming.socket, connection.lastBytes)
		})
		handle(incoming, outgoing)
	}
	const endAfterAnswers = (socket: Socket, lastBytes: string): void => {
		const connection = connectionOf(socket)
		if (connection.lastBytes !== undefined) return
		connection.lastBytes = lastBytes
		stopReading(socket)
		if (!connection.current) endConnection(socket, lastBytes)
	}

	return {
		request(incoming, outgoing) {
			const { socket } = incoming
			const connection = connectionOf(socket)
			if (connection.lastBytes !== undefined) {
				stopReading(socket)
				return
			}
			if (connection.waiting.length >= maxWaiting) {
				connection.waiting.length = 0
				endAfterAnswers(socket, '')
				return
			}
			if (asksForUpgrade(incoming)) {
				// Node's parser drops what follows it in its packet, so that later answers would seem to be for other requests.
				outgoing.shouldKeepAlive = false
				connection.lastBytes = ''
			}
			const exchange = { incoming, outgoing }
			if (connection.current) connection.waiting.push(exchange)
			else begin(connection, exchange)
		},
		clientError(error, socket) {
			if (error.code === 'ECONNRESET' || !socket.writable) {
				socket.destroy()
				return
			}
			const { current, waiting } = connectionOf(socket)
			if (current?.incoming.complete === false) {
				// The bytes belong to the body that is being read.
				if (!current.outgoing.headersSent) socket.write(answerTo(error))
				socket.destroySoon()
				return
			}
			if (waiting.at(-1)?.incoming.complete === false) waiting.pop()
			endAfterAnswers(socket, answerTo(error))
		},
		connect(_incoming, socket) {
			endAfterAnswers(socket, '')
		},
	}
}

function asksForUpgrade({ headers }: IncomingMessage): boolean {
	return headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '')
}

/** The same answers as Node's own. */
function answerTo({ code }: NodeJS.ErrnoException): string {
	return `HTTP/1.1 ${statuses.get(code) ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`
}

const statuses: ReadonlyMap<string | undefined, string> = new Map([
	['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
	['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large'],
	['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
])

/** Takes the socket from Node's parser, which adding a listener does, and leaves further bytes to the system. */
function stopReading(socket: Socket): void {
	socket.on('data', () => {}).removeAllListeners('data')
	// Later, because for each request that is left in its packet the parser makes the socket flow again.
	setImmediate(() => {
		if (!socket.writableEnded) socket.pause()
	})
}

/** Sends these bytes and ends the connection, once the client has read everything or has had time to. */
function endConnection(socket: Socket, lastBytes: string): void {
	socket.end(lastBytes)
	// With bytes that are not read, the system would reset the connection, and the client could lose its answers.
	socket.resume()
	setTimeout(() => socket.destroy(), lingerTime).unref()
}
