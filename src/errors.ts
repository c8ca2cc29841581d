/** Every error of the gateway: code, HTTP status, what to do about it. */

/**
 * Code, HTTP status and advice, one line each. The advice never repeats a value that came from outside.
 * Served as RFC 9457 problem details; listed in docs/errors.md.
 */
export const errors = {
	'not-found': [404, 'Nothing answers here. Check the path and the secret against the route in the configuration.'],
	'method-not-allowed': [405, 'This path does not answer this method. Use one of those in the Allow header.'],
	'request-ambiguous': [
		400,
		'The request can be read in two ways. Send HTTP/1.1 with one Host, which a whole URL as its target agrees with, and no transfer coding but chunked.',
	],
	'body-too-large': [413, 'The body is over the limit of this route. Send less.'],
	'encoding-not-supported': [415, 'The body is compressed. Send it without Content-Encoding.'],
	'content-type-not-supported': [
		415,
		'The body is of a type this format does not use. Send the type the platform sends.',
	],
	'body-incomplete': [400, 'The body broke off before its end. Send all of it.'],
	'body-not-utf8': [400, 'The body is not valid UTF-8. Encode it as UTF-8.'],
	'body-not-json': [400, 'The body is not JSON. Send one JSON value.'],
	'body-too-deep': [400, 'The body nests deeper than 32 levels. Send it flatter.'],
	'reserved-key': [400, 'An object has a key that JavaScript gives a meaning of its own. Rename the key.'],
	'field-missing': [400, 'A field that this format always has is missing. Send it.'],
	'field-invalid': [400, 'A field does not have the type or shape of this format. Send it as the format has it.'],
	'format-not-recognised': [
		400,
		'The call is of none of the formats of this route. Check which platform calls this URL.',
	],
	'event-does-not-fit': [
		422,
		'The event cannot be told to the upstream without a change, and the route is strict. Set its policy to "degrade".',
	],
	'reply-does-not-fit': [
		502,
		'The reply cannot be shown on the platform without a change, and the route is strict. See the changes, or set its policy to "degrade".',
	],
	'upstream-unreachable': [502, 'The upstream could not be reached. Check its URL and that it runs.'],
	'upstream-not-public': [
		502,
		'The upstream is not at a public address, and it may be at no other. Check where its name leads; take "public" away if it is one of yours.',
	],
	'upstream-timeout': [504, 'The upstream did not answer in time. Make it faster, or give the route a failure reply.'],
	'upstream-status': [502, 'The upstream answered with a status that is no success. See its own log.'],
	'upstream-redirect': [502, 'The upstream redirected, and redirects are not followed. Give its final URL.'],
	'upstream-reply-too-large': [502, 'The upstream answered more than the limit. Make it answer less.'],
	'upstream-reply-invalid': [
		502,
		'The upstream answered something that is not a reply in its format. Correct the field named.',
	],
	'upstream-circuit-open': [
		503,
		'The upstream failed several times in a row, or asked for a rest, and is left alone for a moment. See its own log.',
	],
	overloaded: [
		503,
		'As many calls to the upstream are under way as there may be. Send the event again later, make the upstream faster, or raise its concurrency.',
	],
	'loop-detected': [
		508,
		'The call came through this route before, or through too many. Correct the URL of the upstream, which leads back here.',
	],
	'event-too-large': [413, 'The event is over the limit of the storage that accepts it. Send less.'],
	'outbox-full': [503, 'The storage for accepted events is full. Send the event again later.'],
	'outbox-failed': [503, 'The storage for accepted events failed. Send the event again later.'],
	internal: [500, 'The gateway failed. Report it with the turn id.'],
} as const satisfies Record<string, readonly [status: number, advice: string]>

export type ErrorCode = keyof typeof errors

/** What an error may tell beside its code: names and numbers of ours, never a value from outside. */
export interface ErrorContext {
	/** Path of the field at fault, in the sender's own names. */
	readonly field?: string
	/** What was expected there. */
	readonly expected?: string
	/** The limit that was passed, in the unit of the advice. */
	readonly limit?: number
	/** The HTTP status that the upstream answered. */
	readonly upstreamStatus?: number
	/** Seconds after which it may be tried again. */
	readonly retryAfter?: number
	/** The error this one stands for. */
	readonly because?: ErrorCode
	/** The methods that are answered. */
	readonly allowed?: readonly string[]
	/** Paths and kinds of the changes that a strict route refuses. */
	readonly changes?: readonly string[]
}

/** An error with a documented code; safe to show to whoever called. */
export class GatewayError extends Error {
	override readonly name = 'GatewayError'
	readonly code: ErrorCode
	readonly context: ErrorContext
	/** Of a call to the upstream: nothing of it was sent, so that it may be made again. */
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

	/** The field at fault, in words where it is the whole of the body. */
	get field(): string | undefined {
		return this.context.field === '' ? '(the whole body)' : this.context.field
	}

	/** The error as RFC 9457 problem details. `turn` lets its reader find the log line. */
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

/** RFC 9457 problem details, with the error's context as extension members. */
export interface Problem extends ErrorContext {
	readonly type: string
	readonly title: ErrorCode
	readonly status: number
	readonly detail: string
	readonly turn?: string
}

/** Whatever was thrown, as a GatewayError: `internal` unless it is one already. */
export function asGatewayError(thrown: unknown): GatewayError {
	return thrown instanceof GatewayError ? thrown : new GatewayError('internal', {}, { cause: thrown })
}
