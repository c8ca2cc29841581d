/** Connects sockets, so that an address is connected to only after a look at that very address. */
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector, errors } from 'undici'
import { GatewayError } from '../errors.ts'

/** Finds all addresses of a name, as `dns.lookup` does. */
export type Resolve = (
	hostname: string,
	options: LookupAllOptions,
	callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** What may be connected to, and how. */
export interface Guard {
	readonly resolve: Resolve
	/** Of a name's addresses those that it allows are tried. None, or an address that it does not: `upstream-not-public`. */
	allows(address: string): boolean
	/** Milliseconds to connect, TLS included. */
	readonly timeout: number
}

/** A connector for undici's pools. */
export function guardedConnect({ resolve, allows, timeout }: Guard): buildConnector.connector {
	const lookup: LookupFunction = (hostname, options, callback) => {
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
	const connect = buildConnector({ lookup, timeout, allowH2: false })
	return (options, callback) => {
		// What is an address already is never looked up.
		if (isIP(options.hostname) !== 0 && !allows(options.hostname)) {
			process.nextTick(callback, notPublic(), null)
			return
		}
		let late = false
		// undici counts in steps of half a second: it ends the socket, and its caller has gone on by then.
		const timer = setTimeout(() => {
			late = true
			callback(new errors.ConnectTimeoutError(), null)
		}, timeout)
		connect(options, (...result) => {
			clearTimeout(timer)
			if (late) result[1]?.destroy()
			else callback(...result)
		})
	}
}

/** Says nothing of the address: whoever chose the name would learn from it what is there. */
function notPublic(): GatewayError {
	return new GatewayError('upstream-not-public', {}, { unsent: true })
}
