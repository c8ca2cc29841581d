/** A network between two programs of this machine: a port that leads to another one, and that can be made slow or be cut. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Scope } from './scope.ts'

export interface Network {
	/** Of this machine; leads to the other one. */
	readonly port: number
	/** From now on new connections lead to this port instead. Those that are there stay. */
	leadTo(port: number): void
	/** Everything takes so many milliseconds longer, each way. */
	slowDown(milliseconds: number): void
	/** Nothing arrives any more, in either direction, and nobody is told: connections stay open, and new ones get no answer. */
	cut(): void
	/** Ends the cut. What was sent meanwhile arrives now, where its connection is still open. */
	restore(): void
}

/** Starts a network that leads to a port of this machine. It ends with the scope. */
export async function startNetwork(scope: Scope, to: number): Promise<Network> {
	let target = to
	let delay = 0
	let whole = Promise.withResolvers<void>()
	whole.resolve()
	const sockets = new Set<Socket>()

	/** Passes on what comes, and the end, each after its delay and once the network is whole. */
	function lead(from: Socket, onto: Socket): void {
		sockets.add(from)
		let last = Promise.resolve()
		const pass = (act: () => void): void => {
			const due = performance.now() + delay
			last = last.then(async () => {
				const left = due - performance.now()
				if (left > 0) await wait(left)
				await whole.promise
				act()
			})
		}
		from.on('data', (bytes) => pass(() => onto.write(bytes)))
		from.on('error', () => {}).on('end', () => pass(() => onto.end()))
		from.once('close', () => {
			sockets.delete(from)
			pass(() => onto.destroy())
		})
	}

	const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
		const far = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true })
		lead(near, far)
		lead(far, near)
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const restore = (): void => whole.resolve()
	scope.after(async () => {
		restore()
		for (const socket of sockets) socket.destroy()
		await new Promise((closed) => server.close(closed))
	})
	return {
		port: (server.address() as AddressInfo).port,
		leadTo(port) {
			target = port
		},
		slowDown(milliseconds) {
			delay = milliseconds
		},
		cut() {
			whole = Promise.withResolvers()
		},
		restore,
	}
}
