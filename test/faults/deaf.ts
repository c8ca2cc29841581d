/** A thread that listens and never takes a connection: those beyond its backlog get no answer at all. */
import { type AddressInfo, createServer } from 'node:net'
import { parentPort } from 'node:worker_threads'

const server = createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
	parentPort?.postMessage((server.address() as AddressInfo).port)
	// A loop that stands still takes nobody.
	setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})
