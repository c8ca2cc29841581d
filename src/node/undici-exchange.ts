/** One call to an upstream and its answer, as undici tells how they go on; decoded bytes are counted. */
import type { Dispatcher } from 'undici'
import { GatewayError } from '../errors.ts'
import type { Fields, WireResponse } from '../format/index.ts'
import {
	type ByteAccounts,
	brokenOff,
	createByteCollector,
	expectReadable,
	isBodyRead,
	replyText,
} from '../http/index.ts'
import type { OutgoingCall } from '../runtime.ts'
import { afterRound } from './after-round.ts'

/** What is read of an answer that is not used, so that its connection can serve again: for so many milliseconds, or bytes. */
const rest = { time: 1000, bytes: 128 * 1024 }

/** Interim answers (status 1xx) that may come before the final one. */
const maxInfos = 10

/** Settles the promise of a call. Without the stream that undici's other methods put between. */
export class UndiciExchange implements Dispatcher.DispatchHandler {
	readonly #reads: OutgoingCall['reads']
	readonly #maxBytes: number
	readonly #budget: ByteAccounts
	readonly #resolve: (response: WireResponse) => void
	readonly #reject: (error: unknown) => void
	readonly #until: number
	#timer: NodeJS.Timeout
	/** Whether the caller knows how the call ended. */
	#settled = false
	/** Absent: nothing was sent. */
	#controller: Dispatcher.DispatchController | undefined
	#infos = 0
	/** Without a body. Absent: the answer has not begun. */
	#answer: WireResponse | undefined
	#body: Reading | undefined
	/** Bytes that were read of a body. */
	#size = 0

	constructor(
		call: OutgoingCall,
		budget: ByteAccounts,
		resolve: (response: WireResponse) => void,
		reject: (error: unknown) => void,
	) {
		this.#reads = call.reads
		this.#maxBytes = call.maxBytes
		this.#budget = budget
		this.#resolve = resolve
		this.#reject = reject
		this.#until = performance.now() + call.timeout
		this.#timer = setTimeout(() => this.#fail(new GatewayError('upstream-timeout')), call.timeout)
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		// It waited for a connection for too long.
		if (this.#settled) controller.abort(unwanted)
		else this.#controller = controller
	}

	onResponseStart(
		_controller: Dispatcher.DispatchController,
		status: number,
		headers: Dispatcher.ResponseData['headers'],
	): void {
		if (status < 200) {
			if (++this.#infos > maxInfos) this.#fail(noHttp())
			return
		}
		const answer = { status, headers: fieldsOf(headers), body: '' }
		this.#answer = answer
		if (!isBodyRead(status, this.#reads)) {
			this.#settle()
			this.#timer = setTimeout(() => this.#giveUp(), rest.time)
			this.#resolve(answer)
			return
		}
		try {
			expectReadable(answer.headers, this.#maxBytes)
			this.#body = { collector: createByteCollector(), account: this.#budget.open() }
		} catch (thrown) {
			this.#fail(thrown)
		}
	}

	onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
		this.#size += chunk.byteLength
		if (this.#settled) {
			if (this.#size > rest.bytes) this.#giveUp()
			return
		}
		try {
			const limit = this.#maxBytes
			if (this.#size > limit) throw new GatewayError('upstream-reply-too-large', { limit })
			this.#body?.account.add(chunk.byteLength)
			this.#body?.collector.add(chunk)
		} catch (thrown) {
			this.#fail(thrown)
		}
	}

	onResponseEnd(): void {
		clearTimeout(this.#timer)
		if (this.#settled || !this.#answer || !this.#body) return
		// On a busy machine an answer may be read before the timer that it missed.
		if (performance.now() > this.#until) {
			this.#fail(new GatewayError('upstream-timeout'))
			return
		}
		const { collector } = this.#body
		this.#settle()
		try {
			const answer = { ...this.#answer, body: collector.read(replyText) }
			afterRound(() => this.#resolve(answer))
		} catch (thrown) {
			this.#refuse(thrown)
		}
	}

	onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
		clearTimeout(this.#timer)
		if (this.#answer) this.#fail(brokenOff(cause))
		else this.#fail(failureOf(cause, this.#controller === undefined))
	}

	#fail(error: unknown): void {
		if (this.#settled) return
		this.#settle()
		// First, so that the caller does not get what follows from the end of the connection.
		this.#refuse(error)
		this.#giveUp()
	}

	/** A refusal that cannot be read is one without a body. */
	#refuse(error: unknown): void {
		if (this.#answer && this.#reads === 'refusal') this.#resolve(this.#answer)
		else this.#reject(error)
	}

	#settle(): void {
		this.#settled = true
		clearTimeout(this.#timer)
		this.#body?.account.close()
		this.#body = undefined
	}

	/** Ends the connection. */
	#giveUp(): void {
		this.#controller?.abort(unwanted)
	}
}

/** What is being read of a body. */
interface Reading {
	readonly collector: ReturnType<typeof createByteCollector>
	readonly account: ReturnType<ByteAccounts['open']>
}

const unwanted = new Error('The answer is not wanted any more')

// undici's errors, by name and message, for bytes that came and are not HTTP; other errors of a socket mean that nothing came.
const noAnswer =
	/^(?:HTTPParserError|HeadersOverflowError|ResponseContentLengthMismatchError): |^SocketError: bad (?:response|upgrade)$/

/** Why no answer began: what came is not HTTP, or there was no connection. */
function failureOf(cause: Error, unsent: boolean): GatewayError {
	if (cause instanceof GatewayError) return cause
	if (noAnswer.test(`${cause.name}: ${cause.message}`)) return noHttp(cause)
	return new GatewayError('upstream-unreachable', {}, { cause, unsent })
}

function noHttp(cause?: unknown): GatewayError {
	return new GatewayError('upstream-reply-invalid', { field: 'headers', expected: 'HTTP/1.1' }, { cause })
}

function fieldsOf(headers: Dispatcher.ResponseData['headers']): Fields {
	const fields: [string, string][] = []
	for (const name in headers) {
		const value = headers[name]
		if (Array.isArray(value)) for (const each of value) fields.push([name, each])
		else if (value !== undefined) fields.push([name, value])
	}
	return fields
}
