/** Request-smuggling guard: refuses requests that a proxy in front of the gateway may have parsed differently. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, GatewayError } from '../errors.ts'
import { problemResponse } from '../format/index.ts'
import { sendAnswer } from './send-answer.ts'

/** Handles a request. */
export type RequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Passes on requests that can be parsed in one way only. Any other is answered with `request-ambiguous` and reported to
 * `refused`, and whatever follows it on its connection is ignored.
 */
export function rejectAmbiguous(take: RequestListener, refused: (code: ErrorCode) => void): RequestListener {
	const ended = new WeakSet<Socket>()
	return (incoming, outgoing) => {
		// Node also hands over requests that came behind one whose answer ends the connection.
		if (ended.has(incoming.socket)) return
		const error = ambiguityOf(incoming)
		if (!error) return take(incoming, outgoing)
		ended.add(incoming.socket)
		refused(error.code)
		sendAnswer(problemResponse(error), { incoming, outgoing }, true)
	}
}

/** Path and query as they were sent, also from a target in absolute form. */
export function targetOf({ url = '/' }: IncomingMessage): string {
	const rest = url.startsWith('/') ? url : (absolute.exec(url)?.[2] ?? url)
	return rest.startsWith('/') ? rest : `/${rest}`
}

const absolute = /^https?:\/\/([^/?#]*)(.*)$/is

/** RFC 9112, sections 2.3, 3.2 and 6.1. */
function ambiguityOf({ httpVersion, rawHeaders, headers, url = '/' }: IncomingMessage): GatewayError | undefined {
	const { host } = headers
	if (httpVersion !== '1.1' && httpVersion !== '1.0') return ambiguous('version', 'HTTP/1.1')
	const coding = headers['transfer-encoding']?.toLowerCase()
	if (coding !== undefined && httpVersion === '1.0') return ambiguous('transfer-encoding', 'none')
	// Of several codings Node decodes only the last, and hands over the still encoded rest as the body.
	if (coding !== undefined && coding !== 'chunked') return ambiguous('transfer-encoding', 'chunked')
	// Node keeps the first one and drops the others.
	let hosts = 0
	for (let i = 0; i < rawHeaders.length; i += 2) if (isHost(rawHeaders[i])) hosts++
	if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return ambiguous('host', 'one')
	const authority = absolute.exec(url)?.[1]
	if (authority === undefined || authority.toLowerCase() === host?.toLowerCase()) return undefined
	return ambiguous('host', 'that of the target')
}

function isHost(name: string | undefined): boolean {
	return name?.length === 4 && name.toLowerCase() === 'host'
}

function ambiguous(field: string, expected: string): GatewayError {
	return new GatewayError('request-ambiguous', { field, expected })
}
