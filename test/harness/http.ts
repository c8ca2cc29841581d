/** HTTP calls as plain data, and a client that sends them: it follows, decodes and adds nothing. */
import { Readable } from 'node:stream'
import { Pool } from 'undici'
import type { Fields, WireRequest, WireResponse } from '../../src/format/index.ts'

/** A request and the path that it goes to. Only the path is required. */
export interface Call extends Partial<Omit<WireRequest, 'body'>> {
	/** The query may be part of it. */
	readonly path: string
	/** POST by default. The headers are those of a JSON body by default. */
	readonly method?: string
	readonly body?: string | Buffer
	/** Sends the body in chunks, without a declared length. */
	readonly chunked?: boolean
}

/** A response, and the milliseconds from the call to its last byte. */
export interface Answer extends WireResponse {
	readonly ms: number
}

/** No response came. */
export class NoAnswer extends Error {
	/** The system's code of the failure, or `hung`: nothing came in time. */
	readonly code: string

	constructor(code: string, cause: unknown) {
		super(`no answer: ${code}`, { cause })
		this.code = code
	}
}

export interface ClientOptions {
	/** How many connections there may be at once; further calls wait for one. As many as needed by default. */
	readonly connections?: number
	/** Uses a connection for one call only. */
	readonly oneCallEach?: boolean
	/** Milliseconds after which a call counts as hung; 25,000 by default. */
	readonly patience?: number
	/** A Unix socket, instead of the URL's host and port. */
	readonly socketPath?: string
}

export interface Client {
	/** Rejects with a NoAnswer when no response came. */
	send(call: Call): Promise<Answer>
	close(): Promise<void>
}

/** The content type of JSON. */
export const jsonType: Fields = [['content-type', 'application/json']]

/** A client of the server at this URL, whose path is ignored. */
export function createClient(url: string, options: ClientOptions = {}): Client {
	const { connections, oneCallEach = false, patience = 25_000, socketPath } = options
	const pool = new Pool(new URL(url).origin, {
		...{ connections: connections ?? null, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false },
		...(socketPath !== undefined && { connect: { socketPath } }),
	})
	return {
		async send(call) {
			const { method = 'POST', headers = jsonType } = call
			const limit = new AbortController()
			const timer = setTimeout(() => limit.abort(), patience)
			const from = performance.now()
			try {
				const got = await pool.request({
					...{ method, path: targetOf(call), headers: headers.flat(), body: bodyOf(call, method) },
					...{ signal: limit.signal, reset: oneCallEach },
				})
				const body = await got.body.text()
				return { status: got.statusCode, headers: fieldsOf(got.headers), body, ms: performance.now() - from }
			} catch (cause) {
				throw new NoAnswer(limit.signal.aborted ? 'hung' : codeOf(cause), cause)
			} finally {
				clearTimeout(timer)
			}
		},
		close: () => pool.destroy(),
	}
}

/** Sends one call on a connection of its own. */
export async function send(url: string, call: Call, options: ClientOptions = {}): Promise<Answer> {
	const client = createClient(url, { ...options, oneCallEach: true })
	try {
		return await client.send(call)
	} finally {
		await client.close()
	}
}

/** The path of a call with its query, as it stands in the request line. */
export function targetOf({ path, query = [] }: Call): string {
	const search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	return search === '' ? path : `${path}?${search}`
}

// A GET and a HEAD have no body.
function bodyOf({ body = '', chunked }: Call, method: string) {
	if (method === 'GET' || method === 'HEAD') return null
	return chunked ? Readable.from([body]) : body
}

function fieldsOf(headers: { readonly [name: string]: string | string[] | undefined }): Fields {
	return Object.entries(headers).flatMap(([name, values = []]) =>
		[values].flat().map((value): readonly [string, string] => [name, value]),
	)
}

function codeOf(thrown: unknown): string {
	if (!(thrown instanceof Error)) return String(thrown)
	return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name
}

/** The first header of that name. */
export function header({ headers }: { readonly headers: Fields }, name: string): string | undefined {
	return headers.find(([each]) => each === name)?.[1]
}

/** A response of JSON. */
export function json(body: unknown, status = 200, headers: Fields = []): WireResponse {
	return { status, headers: [...jsonType, ...headers], body: JSON.stringify(body) }
}

/** A response without a body. */
export function statusOnly(status: number, headers: Fields = []): WireResponse {
	return { status, headers, body: '' }
}

/** A reply of one text, in the gateway's own JSON. */
export function says(text: string) {
	return { messages: [{ type: 'text', text }] }
}

/** A call of the gateway's own JSON: what a user says, and more about the event. */
export function message(text: string, more: object = {}): string {
	return JSON.stringify({ version: 1, event: { kind: 'message', text, attributes: {}, ...more } })
}
