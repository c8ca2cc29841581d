/** All errors of the gateway: code, HTTP status, and what to do. */

/**
 * The HTTP status and the advice of each code. The advice never contains a value from outside. docs/errors.md is
 * generated from this table.
 */
export const errors = {
	'not-found': [404, 'No such route. Check the path and the secret against the route in the configuration.'],
	'method-not-allowed': [405, 'This path does not support this method. Use one from the Allow header.'],
	'request-ambiguous': [
		400,
		'The request is ambiguous. Send HTTP/1.1 with exactly one Host header that matches the request target, and no transfer coding other than chunked.',
	],
	'body-too-large': [413, 'The body exceeds the size limit of this route. Send a smaller one.'],
	'encoding-not-supported': [415, 'The body is compressed. Send it without Content-Encoding.'],
	'content-type-not-supported': [
		415,
		'This format does not use this content type. Send the one that the platform sends.',
	],
	'body-incomplete': [400, 'The body ended early. Send all of it.'],
	'body-not-utf8': [400, 'The body or the query is not valid UTF-8. Encode it as UTF-8.'],
	'body-not-json': [400, 'The body is not JSON. Send one JSON value.'],
	'body-too-deep': [400, 'The body is nested deeper than 32 levels. Flatten it.'],
	'too-many-values': [400, 'The body or the query has too many values: see "limit". Send fewer.'],
	'reserved-key': [400, 'An object uses a reserved key (__proto__, constructor or prototype). Rename the key.'],
	'field-missing': [400, 'A required field is missing. Send it.'],
	'field-invalid': [400, 'A field has the wrong type or shape. Send it as the format defines it.'],
	'format-not-recognised': [
		400,
		'The call matches none of the formats of this route. Check which platform calls this URL.',
	],
	'event-does-not-fit': [
		422,
		'The format of the upstream cannot represent this event exactly, and the policy of the route is "strict". Set it to "degrade" to allow changes.',
	],
	'reply-does-not-fit': [
		502,
		'The platform cannot show this reply exactly, and the policy of the route is "strict". See "changes", or set the policy to "degrade".',
	],
	'reply-url-invalid': [
		404,
		'This URL takes no replies: it is incomplete, has been changed or has expired, or its key or its route is gone. Send a POST to the replyUrl of a newer turn, exactly as it was given.',
	],
	'push-not-supported': [
		422,
		'Nothing can be pushed into this conversation: its platform takes no pushes, the options of the route name no API, or the gateway has no outbox. Answer the events of the conversation instead.',
	],
	'posted-reply-does-not-fit': [
		422,
		'The platform cannot show this reply exactly, and the policy of the route is "strict"; or it takes too many calls. See "changes" and "limit".',
	],
	'idempotency-key-reused': [
		422,
		'This idempotency key came with another body before. Use a new key for each reply, and the same key only to send the same reply again.',
	],
	'upstream-unreachable': [
		502,
		'The upstream could not be reached, or ended the connection without an answer. Check its URL, that it is running, and its log.',
	],
	'upstream-not-public': [
		502,
		'The upstream resolved to a non-public address, which "public": true forbids. Check its DNS record, or remove "public" if the backend is your own.',
	],
	'upstream-timeout': [504, 'The upstream did not answer in time. Make it faster, or give the route a failure reply.'],
	'upstream-status': [
		502,
		'The upstream answered with a non-2xx status: see "upstreamStatus". At 401 or 403, check that it has the key of "sign" or the secret; at 404 or 405, check the path of its URL; at 508, its URL leads back to the gateway. At any other, see the log of the upstream.',
	],
	'upstream-redirect': [
		502,
		'The upstream redirected, and the gateway does not follow redirects. Configure the final URL. If there is none, as with Google Apps Script, put a server in front of it that follows the redirect.',
	],
	'upstream-reply-too-large': [502, 'The answer of the upstream exceeds the size limit. Make it send less.'],
	'upstream-reply-invalid': [
		502,
		'The answer of the upstream is not a valid reply in its format. See "field", "expected", "mistakes" and "because" for what is wrong.',
	],
	'upstream-circuit-open': [
		503,
		'The circuit to the upstream is open: it failed repeatedly, or sent Retry-After. The gateway tries it again shortly. See the log of the upstream.',
	],
	overloaded: [
		503,
		'The concurrency limit of the upstream is reached. Send the event again later, make the upstream faster, or raise "concurrency".',
	],
	'too-many-bodies': [
		503,
		'The gateway is reading too many bodies at once. Send the call again later, or raise "limits.bodiesAtOnce".',
	],
	'too-many-replies': [
		503,
		'The gateway is reading too many large replies at once. Send the event again later, or make the upstream send less or faster.',
	],
	'loop-detected': [
		508,
		'The call already came through this route, or through too many routes. Correct the URL of the upstream, which leads back here.',
	],
	'event-too-large': [
		413,
		'The event is too large for the event storage, or for the format of the upstream. Send a smaller one.',
	],
	'outbox-full': [503, 'The event storage is full. Send the event again later.'],
	'outbox-failed': [503, 'The event storage failed. Send the event again later.'],
	'push-failed': [
		502,
		'The API of the platform could not be reached, did not answer in time, or asked to try again later: see "apiStatus". The call is repeated on the schedule of the outbox.',
	],
	'push-refused': [
		502,
		'The API of the platform refused the call for good: see "apiStatus"; the command "outbox list" has its reason. Check the address of the API in the options, and that the conversation and its token are still valid.',
	],
	'late-answer-lost': [
		502,
		'The gateway ended while it waited for a late answer, and must not send the event to the upstream again. If the upstream treats calls with the same id as one, set "idempotent" on the route.',
	],
	internal: [500, 'The gateway failed. See its log, and report the error.'],
} as const satisfies Record<string, readonly [status: number, advice: string]>

/** The stable code of an error. */
export type ErrorCode = keyof typeof errors

/** What is wrong with one field. */
export interface Mistake {
	/** Its path, in the sender's own names. */
	readonly field: string
	/** It is not there. */
	readonly missing?: true
	/** What was expected there. */
	readonly expected?: string
}

/** Details of an error: the gateway's own names and numbers, never a value from outside. */
export interface ErrorContext {
	/** Path of the invalid field, in the sender's own names. */
	readonly field?: string
	/** What was expected there. */
	readonly expected?: string
	/** Every mistake that was found, if there are several; the first ones of many. */
	readonly mistakes?: readonly Mistake[]
	/** How many more mistakes there are. */
	readonly moreMistakes?: number
	/** The limit that was exceeded. */
	readonly limit?: number
	/** The HTTP status of the upstream's answer. */
	readonly upstreamStatus?: number
	/** The HTTP status of the answer of a platform's API. */
	readonly apiStatus?: number
	/** Seconds after which to try again. */
	readonly retryAfter?: number
	/** The code of the underlying error. */
	readonly because?: ErrorCode
	/** The methods that the path supports. */
	readonly allowed?: readonly string[]
	/** Paths and kinds of the changes that a strict route rejects. */
	readonly changes?: readonly string[]
}

/** An error with a documented code. It is safe to show to the caller. */
export class GatewayError extends Error {
	override readonly name = 'GatewayError'
	readonly code: ErrorCode
	readonly context: ErrorContext
	/** Whether nothing of the call to the upstream was sent, so that a retry is safe. */
	readonly unsent: boolean

	constructor(code: ErrorCode, context: ErrorContext = {}, options: { cause?: unknown; unsent?: boolean } = {}) {
		super(errors[code][1], options)
		this.code = code
		this.context = context
		this.unsent = options.unsent ?? false
	}

	get status(): number {
		return errors[this.code][0]
	}

	/** The path of the invalid field, or words for the whole body, whose path is empty. */
	get field(): string | undefined {
		return this.context.field === '' ? '(the whole body)' : this.context.field
	}

	/** The error as RFC 9457 problem details. `turn` is the turn's id, by which to find it in the log. */
	problem(turn?: string): Problem {
		return {
			type: `urn:dragoman:error:${this.code}`,
			title: this.code,
			status: this.status,
			detail: this.message,
			...this.context,
			...(this.field === undefined ? {} : { field: this.field }),
			...(turn === undefined ? {} : { turn }),
		}
	}
}

/** RFC 9457 problem details, with the error's details as extension members. */
export interface Problem extends ErrorContext {
	readonly type: string
	readonly title: ErrorCode
	readonly status: number
	readonly detail: string
	readonly turn?: string
}

/** A thrown value as a GatewayError: itself, or `internal` with the value as its cause. */
export function asGatewayError(thrown: unknown): GatewayError {
	return thrown instanceof GatewayError ? thrown : new GatewayError('internal', {}, { cause: thrown })
}
