/** Socket activation, see sd_listen_fds(3): the supervisor holds the listening socket, so a restart loses no connection. */
import { Socket } from 'node:net'

/** Thrown if the descriptor passed to this process is not a listening socket. */
export class SocketUnusable extends Error {
	override readonly name = 'SocketUnusable'
}

/** The first descriptor that a supervisor passes, SD_LISTEN_FDS_START. */
const firstDescriptor = 3

/**
 * The socket that was passed to the process with this id; undefined if there is none. Removes the variables of socket
 * activation from `env`, so that child processes do not see them. Throws SocketUnusable.
 */
export function activatedSocket(env: NodeJS.ProcessEnv, pid: number): Socket | undefined {
	const { LISTEN_PID: receiver, LISTEN_FDS: count = '0' } = env
	for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
	if (receiver !== String(pid) || count === '0') return undefined
	if (count !== '1') throw new SocketUnusable('LISTEN_FDS passes more than one socket. Pass exactly one.')
	const socket = openSocket()
	// An unbound socket: listening on it would choose a random port.
	const { port } = boundAddress(socket)
	if (port === 0) throw socketUnusable()
	return socket
}

/** The address that a socket is bound to; empty for a unix socket. */
export function boundAddress(socket: Socket): { readonly host?: string; readonly port?: number } {
	const address = socket.address()
	return 'address' in address ? { host: address.address, port: address.port } : {}
}

/** The error for a descriptor that is not a listening socket. */
export function socketUnusable(cause?: unknown): SocketUnusable {
	return new SocketUnusable('Descriptor 3, passed by LISTEN_FDS, is not a listening stream socket.', { cause })
}

function openSocket(): Socket {
	try {
		// A Socket, unlike a Server, knows its address before it listens.
		return new Socket({ fd: firstDescriptor, readable: false, writable: false })
	} catch (cause) {
		throw socketUnusable(cause)
	}
}
