/** Gateways as processes, to be killed; and a receiver that knows every copy of what it was sent. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const program = fileURLToPath(new URL('gateway.ts', import.meta.url))

/** A gateway that listens. */
export interface Running {
	readonly url: string
	readonly child: ChildProcess
	/** Ends it, and waits until it has ended. */
	kill(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts a gateway; `before` is a command that runs it, such as strace. */
export async function start(
	config: object,
	env: { [name: string]: string } = {},
	before: string[] = [],
): Promise<Running> {
	const [command = process.execPath, ...args] = [...before, process.execPath, program]
	const child = spawn(command, args, {
		env: { PATH: process.env.PATH, CONFIG: JSON.stringify(config), ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		// A group of its own: what is between us and the gateway ends with it.
		detached: true,
	})
	let told = ''
	child.stderr?.on('data', (chunk) => {
		told += chunk
	})
	const ended = new Promise<number | null>((done) => child.once('close', done))
	const kill = (signal: NodeJS.Signals) => {
		if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
			try {
				process.kill(-child.pid, signal)
			} catch {
				// It has ended meanwhile.
			}
		}
		return ended
	}
	onTestFinished(() => kill('SIGKILL').then(() => {}))
	const url = await new Promise<string>((listening, failed) => {
		child.stdout?.once('data', (chunk) => listening(String(chunk).trim()))
		ended.then((code) => failed(new Error(`ended with ${code}: ${told}`)))
	})
	return { url, child, kill }
}

/** An upstream that keeps each body by its `webhook-id`, and the ids of the events in it. */
export async function receiver(status: () => number = () => 200) {
	const copies = new Map<string, string[]>()
	const events = new Set<string>()
	/** Numbers of the events of each conversation, in the order in which they were first taken. */
	const order = new Map<string, number[]>()
	const server = createServer(async (request, response) => {
		let body = ''
		for await (const chunk of request) body += chunk
		const code = status()
		if (code === 200) {
			const id = String(request.headers['webhook-id'])
			copies.set(id, [...(copies.get(id) ?? []), body])
			const { event } = JSON.parse(body)
			if (!events.has(event.id))
				order.set(event.conversation, [...(order.get(event.conversation) ?? []), Number(event.text)])
			events.add(event.id)
		}
		response.writeHead(code, { 'content-type': 'application/json' }).end('{"messages":[]}')
	})
	await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
	onTestFinished(() => {
		server.close()
		server.closeAllConnections()
	})
	const address = server.address()
	const port = typeof address === 'object' && address ? address.port : 0
	return { url: `http://127.0.0.1:${port}/`, copies, events, order }
}

/** Sends one event; whether it was acknowledged. */
export async function send(url: string, id: string, conversation: string, text: string): Promise<number | undefined> {
	const event = { id, kind: 'message', conversation, text }
	const headers = { 'content-type': 'application/json' }
	const init = {
		method: 'POST',
		headers,
		body: JSON.stringify({ version: 1, event }),
		signal: AbortSignal.timeout(5000),
	}
	const response = await fetch(`${url}/in`, init).catch(() => undefined)
	await response?.arrayBuffer().catch(() => {})
	return response?.status
}

export const signingKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

/** A configuration with one route, one way. */
export function configOf(file: string, url: string, outbox: object = {}) {
	return {
		outbox: { file, ...outbox },
		upstream: { url, sign: [{ env: 'SIGN' }] },
		routes: [{ name: 'in', path: '/in', platform: 'one-way' }],
	}
}
