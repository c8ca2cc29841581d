/** The one error of the client. */

/** What to do about each kind of failure. */
const advice = {
	'invalid-input': 'Nothing was sent: a value is not as ChatBot documents it.',
	unauthorized: 'ChatBot rejected the access token. Copy the developer access token from the settings of ChatBot.',
	'not-found': 'ChatBot has no such webhook.',
	refused: 'ChatBot refused the request.',
	'rate-limited': 'ChatBot accepts no more requests for now. Try again later.',
	failed: 'ChatBot failed. Try again later.',
	unreachable: 'ChatBot could not be reached, or the connection broke.',
	timeout: 'ChatBot did not answer in time.',
	aborted: 'The caller ended the request.',
	redirected: 'ChatBot redirected. Redirects are not followed, because they would carry the access token elsewhere.',
	'answer-too-large': 'The answer is larger than the client reads.',
	'answer-invalid': 'The answer is not as ChatBot documents it.',
} as const satisfies { readonly [code: string]: string }

/** The stable code of a failure. */
export type ChatBotErrorCode = keyof typeof advice

/** Details of a failure, as far as they are known. */
export interface ChatBotErrorDetails {
	/** The HTTP status of ChatBot's answer. */
	readonly status?: number
	/** ChatBot's own words, at most a line, without secrets that were sent. */
	readonly said?: string
	/** Path of the field that is wrong, in what was to be sent or in the answer. */
	readonly field?: string
	/** What was expected there. */
	readonly expected?: string
	/** The system's own code for a connection that failed, such as ECONNREFUSED or CERT_HAS_EXPIRED. */
	readonly reason?: string
	/** Seconds after which ChatBot wants to be asked again. */
	readonly retryAfter?: number
}

/** Thrown for every failure of the client. Contains no secret: it is safe to log. */
export class ChatBotError extends Error {
	override readonly name = 'ChatBotError'
	readonly code: ChatBotErrorCode
	readonly status?: number
	readonly said?: string
	readonly field?: string
	readonly expected?: string
	readonly reason?: string
	readonly retryAfter?: number

	constructor(code: ChatBotErrorCode, details: ChatBotErrorDetails = {}) {
		const { status, said, field, expected, reason, retryAfter } = details
		const where = field === undefined ? [] : [describeField(field, expected)]
		const why = reason === undefined ? [] : [`(${reason})`]
		const words = said === undefined ? [] : [`ChatBot says: ${said}`]
		super([advice[code], ...where, ...why, ...words].join(' '))
		this.code = code
		if (status !== undefined) this.status = status
		if (said !== undefined) this.said = said
		if (field !== undefined) this.field = field
		if (expected !== undefined) this.expected = expected
		if (reason !== undefined) this.reason = reason
		if (retryAfter !== undefined) this.retryAfter = retryAfter
	}
}

function describeField(field: string, expected: string | undefined): string {
	if (expected === undefined) return `Field "${field}" is not valid.`
	return field === '' ? `It must be ${expected}.` : `Field "${field}": must be ${expected}.`
}
