/** A line to a server on this machine that fails as networks do. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Scope } from './scope.ts'

/** A line that takes connections on a port of its own. */
export interface NetworkLine {
	readonly port: number
	/** From now on nothing that the server says arrives, and all that it is told does. */
	loseAnswers(): void
	/** From now on nothing arrives on either side, and neither is told. */
	silence(): void
	/** Ends the connections of the clients. The server is told, unless it `isKept` from that. */
	cut(how?: { readonly isKept: boolean }): void
	/** Ends what is left of all connections. New ones work. */
	heal(): void
}

/** A line to a port. It ends with the scope. */
export async function lineTo(scope: Scope, port: number): Promise<NetworkLine> {
	let passes = { down: true, up: true }
	const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>()
	const listener = createServer({ allowHalfOpen: true }, (client) => {
		const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
		const pair = { client, server }
		const own = passes
		pairs.add(pair)
		client.on('data', (bytes) => own.up && server.write(bytes))
		server.on('data', (bytes) => own.down && client.write(bytes))
		client.on('end', () => own.up && server.end())
		server.on('end', () => own.down && client.end())
		for (const socket of [client, server]) socket.on('error', () => {})
	})
	await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
	const heal = () => {
		for (const { client, server } of pairs) for (const socket of [client, server]) socket.destroy()
		pairs.clear()
		passes = { down: true, up: true }
	}
	scope.after(() => {
		heal()
		listener.close()
	})
	return {
		port: (listener.address() as AddressInfo).port,
		loseAnswers() {
			passes.down = false
		},
		silence() {
			Object.assign(passes, { down: false, up: false })
		},
		cut({ isKept } = { isKept: false }) {
			for (const { client, server } of pairs) {
				client.destroy()
				if (!isKept) server.destroy()
			}
			passes = { down: true, up: true }
		},
		heal,
	}
}
