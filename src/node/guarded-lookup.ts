/** Looks names up for sockets, so that an address is connected to only after a look at that very address. */
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { GatewayError } from '../errors.ts'

/** Finds all addresses of a name, as `dns.lookup` does. */
export type Resolve = (
	hostname: string,
	options: LookupAllOptions,
	callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** A look-up that gives a socket those of a name's addresses that are allowed, or fails where there is none. */
export function guardedLookup(resolve: Resolve, allows: (address: string) => boolean): LookupFunction {
	return (hostname, options, callback) => {
		resolve(hostname, { ...options, all: true }, (error, addresses) => {
			if (error) return callback(error, [])
			const allowed = addresses.filter(({ address }) => allows(address))
			const [first] = allowed
			if (!first) return callback(notPublic(), [])
			// A process can be told to let sockets try one address only.
			if (options.all) callback(null, allowed)
			else callback(null, first.address, first.family)
		})
	}
}

/** Says nothing of the address: whoever chose the name would learn from it what is there. */
export function notPublic(): GatewayError {
	return new GatewayError('upstream-not-public', {}, { unsent: true })
}
