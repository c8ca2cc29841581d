/** Sends answers through Node's own responses: a web Response in between costs as much as a whole stage of a turn. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WireResponse } from '../format/index.ts'
import { answerHeaders, isBodiless } from '../http/index.ts'

/** Milliseconds in which the rest of a body may come that the answer did not wait for. */
const lingerTime = 500

/** A request, and the response to it. */
export interface Exchange {
	readonly incoming: IncomingMessage
	readonly outgoing: ServerResponse
}

/** Sends an answer, and ends the connection if `closes`, or if the rest of the request's body is not wanted. */
export function sendAnswer(answer: WireResponse, { incoming, outgoing }: Exchange, closes: boolean): void {
	// The caller has gone.
	if (outgoing.destroyed) return
	const { status, body } = answer
	const headers = answerHeaders(answer)
	if (!isBodiless(answer)) headers['content-length'] = `${Buffer.byteLength(body)}`
	const unread = isUnread(incoming)
	if (closes || unread) headers.connection = 'close'
	outgoing.writeHead(status, headers)
	if (!unread) {
		outgoing.end(body)
		return
	}
	// Node closes the connection with the response. If bytes of the request are still to come then, the system resets it,
	// and the caller loses the answer.
	outgoing.write(body)
	const end = () => {
		clearTimeout(timer)
		outgoing.end()
	}
	const timer = setTimeout(end, lingerTime)
	incoming
		.on('error', () => {})
		.once('close', end)
		.once('end', end)
		.resume()
}

function isUnread({ complete, headers }: IncomingMessage): boolean {
	if (complete) return false
	return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
