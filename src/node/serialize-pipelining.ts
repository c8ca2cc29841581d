/** Handles the pipelined requests of a connection one at a time. */
import type { Socket } from 'node:net'
import type { RequestListener } from './smuggling-guard.ts'

/** Requests of a connection that may wait. Proxies and platforms wait for each response, so none of theirs do. */
const maxWaiting = 16

/**
 * Handles a request once the previous response has been handed to the system. Node would handle all of them at once, and
 * buffer the responses for a client that never reads them. Closes a connection on which too many requests wait.
 */
export function serializePipelining(handle: RequestListener): RequestListener {
	// The requests behind the current one. Absent: no request is being handled.
	const waiting = new WeakMap<Socket, (() => void)[]>()
	return (incoming, outgoing) => {
		const { socket } = incoming
		const begin = () => {
			outgoing.once('close', () => {
				const next = waiting.get(socket)?.shift()
				if (next && !socket.destroyed) next()
				else waiting.delete(socket)
			})
			handle(incoming, outgoing)
		}
		const queue = waiting.get(socket)
		if (queue && queue.length >= maxWaiting) socket.destroy()
		else if (queue) queue.push(begin)
		else {
			waiting.set(socket, [])
			begin()
		}
	}
}
