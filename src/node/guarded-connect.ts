/** Connects to allowed IP addresses only, checked after DNS resolution so that a name cannot evade the check. */
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import buildConnector from 'undici/lib/core/connect.js'
import { ConnectTimeoutError } from 'undici/lib/core/errors.js'
import { GatewayError } from '../errors.ts'

/** Resolves a name to all its addresses, as `dns.lookup` does. */
export type Resolve = (
	hostname: string,
	options: LookupAllOptions,
	callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** What the connector may connect to, and how. */
export interface Guard {
	/** Resolves names. */
	readonly resolve: Resolve
	/** Whether an IP address may be connected to. If no address of a name may, the call fails with `upstream-not-public`. */
	allows(address: string): boolean
	/** Milliseconds to connect, including TLS. */
	readonly timeout: number
}

/** A connector for undici's pools that connects to allowed addresses only. */
export function guardedConnect({ resolve, allows, timeout }: Guard): buildConnector.connector {
	const lookup: LookupFunction = (hostname, options, callback) => {
		resolve(hostname, { ...options, all: true }, (error, addresses) => {
			if (error) return callback(error, [])
			const allowed = addresses.filter(({ address }) => allows(address))
			const [first] = allowed
			if (!first) return callback(notPublic(), [])
			// Not all: the process runs with `--no-network-family-autoselection`.
			if (options.all) callback(null, allowed)
			else callback(null, first.address, first.family)
		})
	}
	const connect = buildConnector({ lookup, timeout, allowH2: false })
	return (options, callback) => {
		// An IP address is never resolved, so the lookup cannot check it.
		if (isIP(options.hostname) !== 0 && !allows(options.hostname)) {
			process.nextTick(callback, notPublic(), null)
			return
		}
		let timedOut = false
		// undici's own timer has a resolution of half a second. It still closes the socket, after the caller has gone on.
		const timer = setTimeout(() => {
			timedOut = true
			callback(new ConnectTimeoutError(), null)
		}, timeout)
		connect(options, (...result) => {
			clearTimeout(timer)
			if (timedOut) result[1]?.destroy()
			else callback(...result)
		})
	}
}

/** Does not name the address: an attacker who chose the name could use it to map the network. */
function notPublic(): GatewayError {
	return new GatewayError('upstream-not-public', {}, { unsent: true })
}
