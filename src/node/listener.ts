/** The HTTP server: its limits, where it listens, and how it shuts down. */
import { createServer, type Server } from 'node:http'
import { type Socket, Server as SocketServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Pipeline } from './serialize-pipelining.ts'
import { boundAddress, socketUnusable } from './socket-activation.ts'

/** Milliseconds. Node's defaults would keep a thousand idle connections open for a minute. */
const limits = {
	headersTimeout: 5000,
	// A body that takes longer leaves no time for the upstream.
	requestTimeout: 7000,
	keepAliveTimeout: 5000,
	connectionsCheckingInterval: 1000,
}
const maxHeaderSize = 16_384
/** Connections that are open at the same time; further ones are closed at once. */
export const maxConnections = 2000
/** Milliseconds without a byte read or written, after which a connection is closed; more than a turn needs. */
const idleTimeout = 30_000
/** Connections waiting to be accepted, as far as the system allows: they pile up while a process starts. */
const backlog = 4096

/** Milliseconds in which clients learn from a response that their connection closes, before idle connections are cut. */
export const gracePeriod = 500

/** Where to listen: a socket that a supervisor holds open, or an address to bind. */
export type Place = Socket | { readonly host: string; readonly port: number }

/** A listening server. */
export interface Listener {
	/** The URL to call; `http://localhost` for a unix socket, whose path is not known here. */
	readonly url: string
	/** Stops accepting connections, and resolves when the last one has ended. Cuts those left after `milliseconds`. */
	close(milliseconds: number): Promise<void>
}

/** Whether only this machine can connect to a place. */
export function isLocal(place: Place): boolean {
	const { host } = isSocket(place) ? boundAddress(place) : place
	return host === undefined || host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Starts a server. Rejects with a SocketUnusable or the system's error if it cannot listen. */
export async function listen(place: Place, pipeline: Pipeline): Promise<Listener> {
	// The smuggling guard rejects requests without a Host, together with those that have two.
	const server = createServer({ ...limits, maxHeaderSize, requireHostHeader: false }, pipeline.request)
	server.on('clientError', pipeline.clientError).on('connect', pipeline.connect)
	server.maxConnections = maxConnections
	server.setTimeout(idleTimeout)
	const isActivated = isSocket(place)
	await new Promise<void>((listening, failed) => {
		const fail = (cause: unknown) => failed(isActivated ? socketUnusable(cause) : cause)
		const done = () => {
			server.off('error', fail)
			listening()
		}
		server.once('error', fail)
		if (isActivated) server.listen(place, backlog, done)
		else server.listen(place.port, place.host, backlog, done)
	})
	return { url: urlOf(server, place), close: (milliseconds) => shutDown(server, isActivated, milliseconds) }
}

async function shutDown(server: Server, isActivated: boolean, milliseconds: number): Promise<void> {
	const closed = new Promise<void>((done) => server.once('close', () => done()))
	// Stop accepting: new connections queue on the held socket for the next process. Not `http.Server.close`, which would
	// also cut idle connections.
	if (isActivated) SocketServer.prototype.close.call(server)
	// Clients in the middle of a call learn from its response that the connection closes, and lose nothing.
	for (let waited = 0; waited < gracePeriod && (await countConnections(server)) > 0; waited += 25) await wait(25)
	server.close()
	const idle = setInterval(() => server.closeIdleConnections(), 50)
	const cut = setTimeout(() => server.closeAllConnections(), milliseconds - gracePeriod)
	await closed
	clearInterval(idle)
	clearTimeout(cut)
}

function countConnections(server: Server): Promise<number> {
	return new Promise((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)))
}

function isSocket(place: Place): place is Socket {
	return 'address' in place
}

function urlOf(server: Server, place: Place): string {
	const address = server.address()
	if (typeof address !== 'object' || address === null) return 'http://localhost'
	const host = isSocket(place) ? address.address : place.host
	return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
