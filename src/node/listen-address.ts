/** Where the gateway listens, by the environment variables HOST and PORT. */
import type { Environment } from '../config/index.ts'

/** An address to bind. */
export interface ListenAddress {
	readonly host: string
	readonly port: number
}

/** Thrown if PORT is no port. */
export class PortInvalid extends Error {
	override readonly name = 'PortInvalid'
}

/** The address. Throws a PortInvalid. */
export function listenAddress({ HOST: host = '127.0.0.1', PORT: port = '8787' }: Environment): ListenAddress {
	if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
		throw new PortInvalid('The environment variable PORT must be a number up to 65535.')
	}
	return { host, port: Number(port) }
}

/** Thrown if the gateway cannot listen on an address. The message says what to change. */
export class AddressUnusable extends Error {
	override readonly name = 'AddressUnusable'
}

/** What the system's error says of an address, as an AddressUnusable; any other error as it is. */
export function describeListenError(thrown: unknown, { host, port }: ListenAddress): unknown {
	const says = (message: string) => new AddressUnusable(message, { cause: thrown })
	switch ((thrown as NodeJS.ErrnoException).code) {
		case 'EADDRINUSE':
			return says(`Port ${port} on ${host} is in use. Set PORT to another.`)
		case 'EACCES':
			return says(`No permission to use port ${port} on ${host}. Set PORT to one above 1023.`)
		case 'EADDRNOTAVAIL':
		case 'ENOTFOUND':
			return says(`${host} is not an address of this machine. Set HOST to one.`)
		default:
			return thrown
	}
}
