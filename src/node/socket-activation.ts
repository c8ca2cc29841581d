/** The listening socket that a supervisor binds and keeps open, so that no restart refuses anybody: sd_listen_fds(3) of systemd. */
import { Socket } from 'node:net'

/** A socket that was passed to this process, and is none to listen on. */
export class SocketUnusable extends Error {
	override readonly name = 'SocketUnusable'
}

/** The first descriptor that is passed. */
const first = 3

/**
 * The socket that was passed to the process with this id; undefined when none was. What says so is taken out of the
 * environment, whoever it was meant for. Throws SocketUnusable.
 */
export function activatedSocket(env: NodeJS.ProcessEnv, pid: number): Socket | undefined {
	const { LISTEN_PID: whose, LISTEN_FDS: count = '0' } = env
	for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
	if (whose !== String(pid) || count === '0') return undefined
	if (count !== '1') throw new SocketUnusable('LISTEN_FDS passes more than one socket. Pass exactly one.')
	const socket = open()
	// A socket of which nobody knows the port: listening on it would choose any.
	const { port } = addressOf(socket)
	if (port === 0) throw unusable()
	return socket
}

/** Where a socket is bound; without a host when it is no socket of the network. */
export function addressOf(socket: Socket): { readonly host?: string; readonly port?: number } {
	const address = socket.address()
	return 'address' in address ? { host: address.address, port: address.port } : {}
}

/** What is said of a descriptor that turns out to be none to listen on. */
export function unusable(cause?: unknown): SocketUnusable {
	return new SocketUnusable('Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.', { cause })
}

function open(): Socket {
	try {
		// Of a Socket, unlike of a Server, the address can be told before anybody is accepted.
		return new Socket({ fd: first, readable: false, writable: false })
	} catch (cause) {
		throw unusable(cause)
	}
}
