/** Connections that do as little as they can, so that the server which is measured has the processor. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Fields } from '../src/format/index.ts'
import { jsonType } from '../test/harness/http.ts'
import type { Scope } from '../test/harness/scope.ts'

/** A call as bytes. */
export function requestOf(path: string, body: string, headers: Fields = jsonType): Buffer {
	const lines = [`POST ${path} HTTP/1.1`, 'host: localhost', `content-length: ${Buffer.byteLength(body)}`]
	for (const [name, value] of headers) lines.push(`${name}: ${value}`)
	return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/** Opens connections to the server at this URL. They are closed with the scope. */
export async function openConnections(scope: Scope, url: string, count: number): Promise<readonly Socket[]> {
	const { hostname, port } = new URL(url)
	const sockets = Array.from({ length: count }, () => connect(Number(port), hostname).setNoDelay())
	scope.after(() => sockets.map((socket) => socket.destroy()))
	await Promise.all(sockets.map((socket) => once(socket, 'connect')))
	return sockets
}

/** Sends all calls, one at a time on each connection. Throws when one is not answered with 200. */
export async function sendAll(sockets: readonly Socket[], calls: readonly Buffer[]): Promise<void> {
	const left = calls.values()
	await Promise.all(sockets.map((socket) => sendEach(socket, left)))
}

/** Sends the calls that are left on one connection, one after the other, until there are none. */
function sendEach(socket: Socket, left: Iterator<Buffer>): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>()
	let answer = ''
	const sendNext = (): void => {
		const { value: call } = left.next()
		answer = ''
		if (call) socket.write(call)
		else end()
	}
	const take = (chunk: Buffer): void => {
		answer += chunk.toString('latin1')
		if (!isWhole(answer)) return
		if (answer.startsWith('HTTP/1.1 200 ')) sendNext()
		else end(new Error(answer))
	}
	const close = (): void => end(new Error('the server has closed the connection'))
	const end = (error?: Error): void => {
		socket.off('data', take).off('error', end).off('close', close)
		if (error) reject(error)
		else resolve()
	}
	socket.on('data', take).once('error', end).once('close', close)
	sendNext()
	return promise
}

/** Whether an answer, with a declared length, has all of its bytes. */
function isWhole(answer: string): boolean {
	const head = answer.indexOf('\r\n\r\n')
	if (head === -1) return false
	const [, length] = /^content-length: (\d+)\r$/im.exec(answer) ?? []
	return answer.length === head + 4 + Number(length)
}
