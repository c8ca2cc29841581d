/** Calls upstreams through undici: a pool for each origin, one more where only public addresses will do; no redirects, no compression, decoded bytes counted. */
import { lookup as lookUp } from 'node:dns'
import { type Dispatcher, Pool } from 'undici'
import { GatewayError } from '../errors.ts'
import type { WireResponse } from '../format/index.ts'
import { readReply } from '../http/index.ts'
import type { OutgoingCall } from '../runtime.ts'
import { isPublicAddress } from '../upstream/index.ts'
import { guardedConnect, type Resolve } from './guarded-connect.ts'

/**
 * Milliseconds to connect, TLS included; what an upstream does afterwards is limited by the call's signal. More than the
 * second after which TCP sends a first packet again that was lost, or that a full backlog dropped (RFC 6298, section 2).
 */
const connectTimeout = 1500

/** Milliseconds for the rest of an answer that nobody reads. */
const dumpTimeout = 1000

/** Answers with a status of 1xx that may come before the true one: whoever sends them without end is a waste of time. */
const maxInfos = 10

/** What a sender takes the network's word for. */
export interface Network {
	/** Finds the addresses of a name. Absent: the system's resolver. */
	readonly resolve?: Resolve
	/** Which addresses are public. Absent: those of `isPublicAddress`. */
	readonly isPublic?: (address: string) => boolean
}

/** The pools, and what ends them. */
export interface Sender {
	send(call: OutgoingCall): Promise<WireResponse>
	close(): Promise<void>
}

/** A sender without connections. Origins come from the configuration, so there are few. */
export function createSender({ resolve = lookUp, isPublic = isPublicAddress }: Network = {}): Sender {
	const connectAnywhere = guardedConnect({ resolve, allows: () => true, timeout: connectTimeout })
	const connectToPublic = guardedConnect({ resolve, allows: isPublic, timeout: connectTimeout })
	const pools = new Map<string, Pool>()
	/** What calls failed with that were waiting for a connection, so that nothing of them was sent. */
	const unconnected = new WeakSet<object>()

	const poolOf = (origin: string, onlyPublic: boolean): Pool => {
		// A connection that anybody may use was made without a look at where it leads.
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
			if (status < 200 || status > 299) {
				// Reads a little, so that the connection can serve again, and gives up where there is more, or nothing comes.
				const stop = setTimeout(() => giveUp(body), dumpTimeout)
				body.dump().then(
					() => clearTimeout(stop),
					() => clearTimeout(stop),
				)
				return { status, headers, body: '' }
			}
			try {
				return {
					status,
					headers,
					body: await readReply({ body, arrayBuffer: () => body.arrayBuffer() }, headers, call),
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

function giveUp(body: Dispatcher.ResponseData['body']): void {
	body.on('error', () => {}).destroy()
}

// undici's errors, by name and message, for what came and is no answer; a socket's other errors mean that nothing came.
const noAnswer =
	/^(?:HTTPParserError|HeadersOverflowError|ResponseContentLengthMismatchError): |^SocketError: bad (?:response|upgrade)$/

/** What kept an answer from starting: the limit of time, an answer that is not HTTP, or nobody there. */
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
