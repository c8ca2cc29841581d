/** Calls as they are on the wire, and answers as they come: nothing is followed, decoded or added. */
import { type IncomingMessage, request } from 'node:http'
import type { Fields } from '../../src/format/index.ts'

export interface Sent {
	readonly method?: string
	readonly path: string
	readonly headers?: Fields
	readonly body?: string | Buffer
	/** In pieces, without a declared length. */
	readonly chunked?: boolean
}

export interface Got {
	readonly status: number
	/** Names in lower case, sorted. */
	readonly headers: Fields
	readonly body: string
}

/** Milliseconds that an answer is waited for. */
const patience = 20_000

export function send(
	url: string,
	{ method = 'POST', path, headers = jsonHeaders, body = '', chunked }: Sent,
): Promise<Got> {
	return new Promise((done, failed) => {
		const { hostname, port } = new URL(url)
		const length =
			chunked || (body === '' && method !== 'POST') ? [] : ['content-length', String(Buffer.byteLength(body))]
		const call = request({
			...{ hostname, port, method, path, agent: false, timeout: patience },
			headers: ['host', 'gateway.test', ...headers.flat(), ...length],
		})
		call.on('error', failed).on('timeout', () => call.destroy(new Error(`no answer within ${patience} ms`)))
		call.on('response', async (answer) => done(await read(answer)))
		call.end(body)
	})
}

const jsonHeaders: Fields = [['content-type', 'application/json']]

async function read(answer: IncomingMessage): Promise<Got> {
	const chunks: Buffer[] = []
	for await (const chunk of answer) chunks.push(chunk)
	const headers: [string, string][] = []
	for (let i = 0; i < answer.rawHeaders.length; i += 2) {
		headers.push([(answer.rawHeaders[i] ?? '').toLowerCase(), answer.rawHeaders[i + 1] ?? ''])
	}
	const sorted = headers.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
	return { status: answer.statusCode ?? 0, headers: sorted, body: Buffer.concat(chunks).toString() }
}
