/** The server: its limits, where it listens, and how it ends. */
import { createServer, type Server } from 'node:http'
import { type Socket, Server as SocketServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { RequestListener } from './smuggling-guard.ts'
import { addressOf, unusable } from './socket-activation.ts'

/** Milliseconds. Node's own limits leave a thousand idle connections open for a minute. */
const limits = {
	headersTimeout: 5000,
	// A body that takes longer leaves the upstream no time.
	requestTimeout: 7000,
	keepAliveTimeout: 5000,
	connectionsCheckingInterval: 1000,
}
const maxHeaderSize = 16_384
const maxConnections = 2000
/** Milliseconds without a byte read or written, for those who do not take their answer; more than a turn needs. */
const idleTimeout = 30_000
/** Connections that wait to be accepted, as far as the system lets them: they come together while a process starts. */
const backlog = 4096

/** Milliseconds for which connections in use are asked to close before they are closed. */
const grace = 500

/** Where to listen: a socket that somebody else keeps open, or an address that is bound here. */
export type Place = Socket | { readonly host: string; readonly port: number }

/** Something that listens. */
export interface Listener {
	/** Of a unix socket, whose path is not known here, `http://localhost`. */
	readonly url: string
	/** Accepts nobody any more, and resolves when the last connection has ended; within these milliseconds. */
	close(milliseconds: number): Promise<void>
}

/** Whether only this machine can connect there. */
export function isLocal(place: Place): boolean {
	const { host } = isSocket(place) ? addressOf(place) : place
	return host === undefined || host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** Rejects with a SocketUnusable, or with the system's error, when it cannot listen. */
export async function listen(place: Place, take: RequestListener): Promise<Listener> {
	// A request without a Host is refused elsewhere, beside those with two.
	const server = createServer({ ...limits, maxHeaderSize, requireHostHeader: false }, take)
	server.maxConnections = maxConnections
	server.setTimeout(idleTimeout)
	const held = isSocket(place)
	await new Promise<void>((listening, failed) => {
		const fail = (cause: unknown) => failed(held ? unusable(cause) : cause)
		const done = () => {
			server.off('error', fail)
			listening()
		}
		server.once('error', fail)
		if (held) server.listen(place, backlog, done)
		else server.listen(place.port, place.host, backlog, done)
	})
	return { url: urlOf(server, place), close: (milliseconds) => end(server, held, milliseconds) }
}

async function end(server: Server, held: boolean, milliseconds: number): Promise<void> {
	const closed = new Promise<void>((done) => server.once('close', () => done()))
	// Whoever connects from now on waits for the next process. Only the door: the server's own `close` ends idle connections.
	if (held) SocketServer.prototype.close.call(server)
	// Whoever is talking to us learns from our answer that the connection ends, and loses nothing.
	for (let waited = 0; waited < grace && (await connections(server)) > 0; waited += 25) await wait(25)
	server.close()
	const idle = setInterval(() => server.closeIdleConnections(), 50)
	const cut = setTimeout(() => server.closeAllConnections(), milliseconds - grace)
	await closed
	clearInterval(idle)
	clearTimeout(cut)
}

function connections(server: Server): Promise<number> {
	return new Promise((count) => server.getConnections((_error, number) => count(number ?? 0)))
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
