/** Serves a simulated API on this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ApiAnswer, ApiCall, Callback, Fields, WireResponse } from '../format/index.ts'
import { readLimited } from '../http/index.ts'
import { upstreamUrl } from '../upstream/index.ts'

/** A simulated API that listens. */
export interface SimulatedApiServer {
	/** Its base URL, without a slash at the end. */
	readonly url: string
	close(): Promise<void>
}

/** Bytes of a call's body, and of what a webhook answers: far more than any that is meant. */
const maxBytes = 1024 * 1024

/** Milliseconds until the rest of a call must have arrived. */
const patience = 30_000

/** An API that answers by itself, or after it has called back. */
interface Answering {
	answer(call: ApiCall): ApiAnswer | Callback
}

/** A call, and what became of it. */
type Exchange = readonly [answer: ApiAnswer, call: ApiCall]

/** Serves the API on 127.0.0.1. `port` 0 takes any that is free. `answered` gets every answer. Rejects as `listen` does. */
export async function serveSimulatedApi(
	api: Answering,
	port: number,
	answered: (...exchange: Exchange) => void = () => {},
): Promise<SimulatedApiServer> {
	const server = createServer({ requestTimeout: patience }, (request, response) => {
		answerTo(request, api).then(
			([answer, call]) => {
				write(response, answer.response)
				answered(answer, call)
			},
			() => write(response, { status: 400, headers: [], body: '' }),
		)
	})
	await new Promise<void>((listening, failed) => {
		server.once('error', failed).listen(port, '127.0.0.1', listening)
	})
	const { port: taken } = server.address() as AddressInfo
	return {
		url: `http://127.0.0.1:${taken}`,
		close() {
			server.closeAllConnections()
			return new Promise((closed) => server.close(() => closed()))
		},
	}
}

async function answerTo(request: IncomingMessage, api: Answering): Promise<Exchange> {
	const head = {
		method: request.method ?? 'GET',
		path: request.url ?? '/',
		headers: Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
			values.map((value): Fields[number] => [name, value]),
		),
	}
	const chunks: Buffer[] = []
	let size = 0
	// Destroyed, the request would take the answer with it.
	for await (const chunk of request.iterator({ destroyOnReturn: false })) {
		size += chunk.length
		if (size > maxBytes) {
			return [{ response: { status: 413, headers: [['connection', 'close']], body: '' } }, { ...head, body: '' }]
		}
		chunks.push(chunk)
	}
	const call = { ...head, body: Buffer.concat(chunks).toString() }
	const answer = api.answer(call)
	return ['settle' in answer ? answer.settle(await callBack(answer)) : answer, call]
}

/** Makes the platform's own call. No redirect is followed: it would lose the token. */
async function callBack({ url, call, deadline }: Callback): Promise<WireResponse | 'timeout' | 'unreachable'> {
	const signal = AbortSignal.timeout(deadline)
	try {
		const response = await fetch(upstreamUrl(url, call.query, undefined), {
			method: call.method,
			headers: call.headers.map(([name, value]) => [name, value]),
			...(call.body !== '' && { body: call.body }),
			redirect: 'manual',
			signal,
		})
		const bytes = await readLimited(response, maxBytes)
		const body = new TextDecoder().decode(bytes ?? new Uint8Array())
		return { status: response.status, headers: [...response.headers], body }
	} catch {
		return signal.aborted ? 'timeout' : 'unreachable'
	}
}

function write(response: ServerResponse, { status, headers, body }: WireResponse): void {
	response.writeHead(status, headers.flat())
	response.end(body)
}
