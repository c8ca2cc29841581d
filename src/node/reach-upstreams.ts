/** Tries whether the backends of a configuration can be connected to. Sends nothing: a call could have effects. */
import { connect as connectPlain } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import type { Route } from '../route.ts'

/** Whether one backend can be connected to. */
export interface Reached {
	/** Of its URL, whose path and query may hold secrets. */
	readonly origin: string
	/** The routes that it is for. */
	readonly routes: readonly string[]
	/** How long connecting took. */
	readonly ms?: number
	/** Why it could not: the system's code, or `timeout`. Absent: it could. */
	readonly error?: string
}

/** Milliseconds that a connection may take, with its TLS handshake. */
const patience = 5000

/** Connects to each backend once, at the same time. Leaves out what runs inside the gateway. */
export async function reachUpstreams(routes: readonly Route[]): Promise<readonly Reached[]> {
	const byOrigin = new Map<string, string[]>()
	for (const { name, upstream } of routes) {
		if (upstream.send) continue
		for (const { url } of upstream.endpoints) {
			const { origin } = new URL(url)
			byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), name])
		}
	}
	return await Promise.all(
		[...byOrigin].map(async ([origin, routes]): Promise<Reached> => ({ origin, routes, ...(await reach(origin)) })),
	)
}

function reach(origin: string): Promise<Pick<Reached, 'ms' | 'error'>> {
	const { protocol, hostname, port } = new URL(origin)
	const isSecure = protocol === 'https:'
	const host = hostname.replace(/^\[(.*)\]$/, '$1')
	const address = { host, port: Number(port) || (isSecure ? 443 : 80), timeout: patience }
	const startedAt = performance.now()
	return new Promise((done) => {
		const socket = isSecure ? connectSecurely({ ...address, servername: host }) : connectPlain(address)
		const end = (result: Pick<Reached, 'ms' | 'error'>) => {
			socket.destroy()
			done(result)
		}
		socket.once(isSecure ? 'secureConnect' : 'connect', () => end({ ms: Math.round(performance.now() - startedAt) }))
		socket.once('error', ({ code, message }: NodeJS.ErrnoException) => end({ error: code ?? message }))
		socket.once('timeout', () => end({ error: 'timeout' }))
	})
}
