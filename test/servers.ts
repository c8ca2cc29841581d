/** Real servers for tests: gateways and upstreams on this machine, ended when the test ends. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createSocketServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { canonical } from '../adapters/canonical/index.ts'
import { type Adapter, type AdapterFactory, defineAdapter } from '../src/format/index.ts'
import { type Gateway, serve } from '../src/node/serve.ts'
import type { LogLine } from '../src/runtime.ts'
import type { Scope } from './harness/scope.ts'

/** What a test starts ends with it. */
export const testScope: Scope = {
	after: (end) =>
		onTestFinished(async () => {
			await end()
		}),
}

/** An adapter of the gateway's own JSON that differs in what a test looks at. */
export function ownJson(name: string, differs: Partial<Adapter> = {}): AdapterFactory {
	return defineAdapter({ ...canonical, name, create: () => ({ ...canonical.create(), ...differs }) })
}

/** A call as an upstream received it. */
export interface Received {
	readonly request: IncomingMessage
	readonly body: string
}

/** An upstream on HTTP, and all calls that reached it. */
export interface TestUpstream {
	readonly url: string
	readonly received: Received[]
	/** How many connections were opened. */
	connections(): number
}

/** An upstream that answers as told; without a word on it, with a text. */
export async function upstream(
	answer: (response: ServerResponse, received: Received) => void = (response) => json(response, says('Hello')),
): Promise<TestUpstream> {
	const received: Received[] = []
	let connections = 0
	const listener: RequestListener = async (request, response) => {
		let body = ''
		for await (const chunk of request) body += chunk
		received.push({ request, body })
		answer(response, { request, body })
	}
	const server = createServer(listener).on('connection', () => connections++)
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => {
		server.close()
		server.closeAllConnections()
	})
	return { url: urlOf(server.address()), received, connections: () => connections }
}

/** An upstream that answers with these bytes, whatever they are, and then does what it is told with the connection. */
export async function rawUpstream(bytes: string | Buffer, then: (socket: Socket) => void = (socket) => socket.end()) {
	const sockets = new Set<Socket>()
	const server = createSocketServer((socket) => {
		sockets.add(socket)
		socket.on('error', () => {}).once('data', () => socket.write(bytes, () => then(socket)))
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => {
		server.close()
		for (const socket of sockets) socket.destroy()
	})
	return { url: urlOf(server.address()) }
}

/** An address of this machine where nobody listens. */
export async function nobody(): Promise<string> {
	const server = createSocketServer()
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	const url = urlOf(server.address())
	await new Promise((closed) => server.close(closed))
	return url
}

/** A gateway with these routes, and the lines of its log. */
export async function gateway(
	config: object,
	adapters: readonly AdapterFactory[] = [canonical],
	env: { readonly [name: string]: string } = {},
): Promise<Gateway & { readonly lines: LogLine[] }> {
	const lines: LogLine[] = []
	const started = await serve({ config, adapters, env, log: (line) => lines.push(line) })
	onTestFinished(() => started.close())
	return { ...started, lines }
}

/** A gateway with one route at `/in`, whose upstream is this one. */
export function gatewayTo(url: string, route: object = {}, adapters?: readonly AdapterFactory[]) {
	return gateway(
		{ upstream: { url }, routes: [{ name: 'in', path: '/in', platform: 'canonical', ...route }] },
		adapters,
	)
}

/** Calls as a platform that speaks the gateway's own JSON. */
export function call(url: string, event: object = { kind: 'message', text: 'Hi' }, init: RequestInit = {}) {
	return fetch(url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', connection: 'close' },
		body: JSON.stringify({ version: 1, event }),
		redirect: 'manual',
		...init,
	})
}

/** Sends bytes as they are, and gives back all that comes until the connection ends. */
export function rawCall(url: string, bytes: string | Buffer): Promise<string> {
	const { hostname, port } = new URL(url)
	return new Promise((done, failed) => {
		const chunks: Buffer[] = []
		const socket = connect({ host: hostname, port: Number(port) })
		socket.write(bytes)
		socket
			.on('data', (chunk) => chunks.push(chunk))
			.on('error', failed)
			.on('close', () => done(Buffer.concat(chunks).toString()))
	})
}

/** A reply of one text. */
export function says(text: string) {
	return { messages: [{ type: 'text', text }] }
}

export function json(response: ServerResponse, body: unknown): void {
	response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}

function urlOf(address: string | AddressInfo | null): string {
	return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}
