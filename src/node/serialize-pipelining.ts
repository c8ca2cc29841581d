/** Takes the requests of a connection one after the other, as their answers go out, however many came at once. */
import type { Socket } from 'node:net'
import type { RequestListener } from './smuggling-guard.ts'

/** Requests of one connection that wait for those before them. Proxies and platforms send none without an answer. */
const mostWaiting = 16

/**
 * Passes on a request when the answer before it was taken by its caller, or at least by the system. Node would pass on
 * all that came, and keep every answer for a caller who reads none. A connection on which too many wait is ended.
 */
export function serializePipelining(take: RequestListener): RequestListener {
	// Those behind the one in hand; absent while there is none.
	const waiting = new WeakMap<Socket, (() => void)[]>()
	return (incoming, outgoing) => {
		const { socket } = incoming
		const begin = () => {
			outgoing.once('close', () => {
				const next = waiting.get(socket)?.shift()
				if (next && !socket.destroyed) next()
				else waiting.delete(socket)
			})
			take(incoming, outgoing)
		}
		const line = waiting.get(socket)
		if (line && line.length >= mostWaiting) socket.destroy()
		else if (line) line.push(begin)
		else {
			waiting.set(socket, [])
			begin()
		}
	}
}
