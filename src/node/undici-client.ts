/** Calls upstreams through undici: a pool for each origin, and another one for calls to public addresses only; no redirects, no compression, decoded bytes counted. */
import { lookup as lookUp } from 'node:dns'
import { type Dispatcher, Pool } from 'undici'
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import { createReplyBudget, readReply } from '../http/index.ts'
import { limits } from '../limits.ts'
import type { OutgoingCall } from '../runtime.ts'
import { isPublicAddress } from '../upstream/index.ts'
import { guardedConnect, type Resolve } from './guarded-connect.ts'
import { acceptContinue } from './unasked-continue.ts'

/**
 * Milliseconds to connect, TLS included; the signal of the call limits everything after that. It is more than the second
 * after which TCP repeats a first packet that was lost or dropped by a full backlog (RFC 6298, section 2).
 */
const connectTimeout = 1500

/** Milliseconds to read the rest of an answer that is not used. */
const dumpTimeout = 1000

/** Interim answers (status 1xx) that may come before the final one. */
const maxInfos = 10

/** How a sender finds addresses and judges them. */
export interface Network {
	/** Finds the addresses of a name. Absent: the system's resolver. */
	readonly resolve?: Resolve
	/** Which addresses are public. Absent: those of `isPublicAddress`. */
	readonly isPublic?: (address: string) => boolean
}

/** Sends calls, and ends its connections. */
export interface Sender {
	send(call: OutgoingCall): Promise<WireResponse>
	close(): Promise<void>
}

/** A sender that has no connection yet. It keeps a pool for each origin; origins come from the configuration, so there are few. */
export function createSender({ resolve = lookUp, isPublic = isPublicAddress }: Network = {}): Sender {
	const timeout = connectTimeout
	const connectAnywhere = acceptContinue(guardedConnect({ resolve, allows: () => true, timeout }))
	const connectToPublic = acceptContinue(guardedConnect({ resolve, allows: isPublic, timeout }))
	const pools = new Map<string, Pool>()
	const budgetOf = createReplyBudget(limits.repliesAtOnce.value)
	/** Errors of calls that failed while waiting for a connection, so that nothing of them was sent. */
	const unconnected = new WeakSet<object>()

	const poolOf = (origin: string, onlyPublic: boolean): Pool => {
		// Connections of other calls were made without a check of their address.
		const key = onlyPublic ? `public ${origin}` : origin
		const known = pools.get(key)
		if (known) return known
		const connect = onlyPublic ? connectToPublic : connectAnywhere
		const pool = new Pool(origin, { connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
		pool.on('connectionError', (_origin, _targets, error) => unconnected.add(error))
		pools.set(key, pool)
		return pool
	}

	return {
		async send(call) {
			const { origin, pathname, search } = new URL(call.url)
			let infos = 0
			const answer = await poolOf(origin, call.onlyPublic)
				.request({
					path: pathname + search,
					method: call.method,
					headers: call.headers.flat(),
					body: call.body === '' ? null : call.body,
					signal: call.signal,
					// Throwing ends the connection.
					onInfo() {
						if (++infos > maxInfos) throw noHttp()
					},
				})
				.catch((cause: unknown) => {
					const unsent = typeof cause === 'object' && cause !== null && unconnected.has(cause)
					throw failureOf(call.signal, cause, unsent)
				})
			const { statusCode: status, body } = answer
			const headers = fieldsOf(answer.headers)
			if (status < 200 || status > 299 || call.reads === 'status') {
				discard(body)
				return { status, headers, body: '' }
			}
			try {
				return {
					status,
					headers,
					body: await readReply({ body, arrayBuffer: () => body.arrayBuffer() }, headers, call, budgetOf(origin)),
				}
			} catch (thrown) {
				giveUp(body)
				throw thrown
			}
		},
		async close() {
			await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()))
		},
	}
}

/** Reads a little, so that the connection can serve again. Closes it if there is more, or nothing comes. */
function discard(body: Dispatcher.ResponseData['body']): void {
	const stop = setTimeout(() => giveUp(body), dumpTimeout)
	const done = () => clearTimeout(stop)
	body.dump().then(done, done)
}

function giveUp(body: Dispatcher.ResponseData['body']): void {
	body.on('error', () => {}).destroy()
}

// undici's errors, by name and message, for bytes that came and are not HTTP; other errors of a socket mean that nothing came.
const noAnswer =
	/^(?:HTTPParserError|HeadersOverflowError|ResponseContentLengthMismatchError): |^SocketError: bad (?:response|upgrade)$/

/** Why no answer began: the time limit, an answer that is not HTTP, or no connection. */
function failureOf(signal: AbortSignal, cause: unknown, unsent: boolean): GatewayError {
	if (cause instanceof GatewayError) return cause
	if (signal.aborted) return new GatewayError('upstream-timeout', {}, { cause })
	if (cause instanceof Error && noAnswer.test(`${cause.name}: ${cause.message}`)) {
		return noHttp(cause)
	}
	return new GatewayError('upstream-unreachable', {}, { cause, unsent })
}

function noHttp(cause?: unknown): GatewayError {
	return new GatewayError('upstream-reply-invalid', { field: 'headers', expected: 'HTTP/1.1' }, { cause })
}

function fieldsOf(headers: Dispatcher.ResponseData['headers']): (readonly [name: string, value: string])[] {
	const fields: [string, string][] = []
	for (const [name, value] of Object.entries(headers)) {
		if (Array.isArray(value)) for (const each of value) fields.push([name, each])
		else if (value !== undefined) fields.push([name, value])
	}
	return fields
}
