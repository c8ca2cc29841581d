/** One request to ChatBot's API: within limits of time and size, and again after a 429. */
import { GatewayError, type Json, readJson } from '../../../src/format/index.ts'
import { ChatBotError } from './error.ts'
import { wordsOf } from './words.ts'

/** What every request of a client has alike. */
export interface Access {
	/** The origin of the API. */
	readonly api: string
	readonly token: string
	readonly fetch: typeof fetch
	/** Milliseconds for one attempt, with its answer. */
	readonly timeout: number
	/** Milliseconds for all attempts and the pauses between them. */
	readonly patience: number
}

export interface ApiRequest {
	readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
	readonly url: string
	readonly body?: object
	/** What the body holds that no error may repeat, beside the token. */
	readonly secrets?: readonly string[]
	/** Ends the request. */
	readonly signal?: AbortSignal | undefined
}

export interface ApiReply {
	/** Undefined: the answer has no body. */
	readonly json: Json | undefined
	readonly headers: Headers
}

/** Bytes of an answer, decoded: some thousand webhooks. */
const maxBytes = 4 * 1024 * 1024

/** JSON values of an answer of that size. */
const maxValues = 200_000

/** Bytes of an error's body, of which only words are read. */
const maxErrorBytes = 64 * 1024

/** How often a request is made, if each time the answer is a 429. */
const maxAttempts = 5

/** Milliseconds before the second attempt, if the answer does not say; twice as many before each further one. */
const firstPause = 1000

/** Makes a request until its answer is not a 429. Throws a ChatBotError. */
export async function callApi(access: Access, request: ApiRequest): Promise<ApiReply> {
	const end = performance.now() + access.patience
	for (let attempt = 1; ; attempt++) {
		const limits = limitsOf(request.signal, Math.min(access.timeout, end - performance.now()))
		const response = await send(access, request, limits)
		if (response.ok) return { json: await readAnswer(response, limits), headers: response.headers }
		const failure = await failureOf(response, access, request)
		if (failure.code !== 'rate-limited' || attempt === maxAttempts) throw failure
		const pause = failure.retryAfter === undefined ? firstPause * 2 ** (attempt - 1) : failure.retryAfter * 1000
		if (performance.now() + pause >= end) throw failure
		await sleep(pause, request.signal)
	}
}

/** What ends an attempt. */
interface AttemptLimits {
	/** Either of the two others. */
	readonly signal: AbortSignal
	readonly given: AbortSignal | undefined
	readonly time: AbortSignal
}

function limitsOf(given: AbortSignal | undefined, milliseconds: number): AttemptLimits {
	const time = AbortSignal.timeout(Math.max(0, Math.ceil(milliseconds)))
	return { signal: given ? AbortSignal.any([given, time]) : time, given, time }
}

/** Why an attempt ended without an answer. What was thrown may quote the request; of it, only the system's code is kept. */
function interrupted(thrown: unknown, { given, time }: AttemptLimits): ChatBotError {
	if (given?.aborted) return new ChatBotError('aborted')
	if (time.aborted) return new ChatBotError('timeout')
	const reason = systemCode(thrown) ?? systemCode(thrown instanceof Error ? thrown.cause : undefined)
	return new ChatBotError('unreachable', reason === undefined ? {} : { reason })
}

function systemCode(thrown: unknown): string | undefined {
	const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined
	return typeof code === 'string' && /^[A-Z][A-Z\d_]{2,63}$/.test(code) ? code : undefined
}

async function send(access: Access, request: ApiRequest, limits: AttemptLimits): Promise<Response> {
	const { token, fetch } = access
	const { method, url, body } = request
	try {
		return await fetch(url, {
			method,
			headers: {
				authorization: `Bearer ${token}`,
				accept: 'application/json',
				...(body && { 'content-type': 'application/json' }),
			},
			...(body && { body: JSON.stringify(body) }),
			redirect: 'manual',
			signal: limits.signal,
		})
	} catch (thrown) {
		throw interrupted(thrown, limits)
	}
}

async function readAnswer(response: Response, limits: AttemptLimits): Promise<Json | undefined> {
	const { status } = response
	const bytes = await readBytes(response, maxBytes).catch((thrown: unknown) => {
		throw interrupted(thrown, limits)
	})
	if (!bytes) throw new ChatBotError('answer-too-large', { status })
	try {
		const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
		return text.trim() === '' ? undefined : readJson(text, maxValues)
	} catch (thrown) {
		if (thrown instanceof GatewayError && thrown.code === 'too-many-values') {
			throw new ChatBotError('answer-too-large', { status })
		}
		throw new ChatBotError('answer-invalid', { status, field: '', expected: 'JSON' })
	}
}

/** The error for an answer that is no success. A body that cannot be read takes nothing from what its status says. */
async function failureOf(response: Response, { token }: Access, request: ApiRequest): Promise<ChatBotError> {
	const { status, headers } = response
	const bytes = await readBytes(response, maxErrorBytes).catch(() => undefined)
	if (status >= 300 && status <= 399) return new ChatBotError('redirected', { status })
	const body = new TextDecoder().decode(bytes ?? new Uint8Array())
	const said = wordsOf(body, [token, ...(request.secrets ?? [])])
	const retryAfter = readRetryAfter(headers)
	return new ChatBotError(codeOf(status), {
		status,
		...(said !== undefined && { said }),
		...(retryAfter !== undefined && { retryAfter }),
	})
}

function codeOf(status: number) {
	if (status === 401 || status === 403) return 'unauthorized'
	if (status === 404) return 'not-found'
	if (status === 429) return 'rate-limited'
	return status >= 500 ? 'failed' : 'refused'
}

/** Seconds, from the header Retry-After (RFC 9110, section 10.2.3). A date counts from the answer's own Date. */
function readRetryAfter(headers: Headers): number | undefined {
	const value = headers.get('retry-after')?.trim() ?? ''
	if (/^\d{1,9}$/.test(value)) return Number(value)
	if (!/^[A-Z][a-z]{2}, /.test(value)) return undefined
	const seconds = Math.ceil((Date.parse(value) - Date.parse(headers.get('date') ?? '')) / 1000)
	return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

/** The whole body, or undefined when it is over the limit; then the rest is not read. */
async function readBytes({ body }: Response, limit: number): Promise<Uint8Array | undefined> {
	if (!body) return new Uint8Array()
	const reader = body.getReader()
	const chunks: Uint8Array[] = []
	let size = 0
	for (;;) {
		const { done, value } = await reader.read()
		if (done) break
		size += value.byteLength
		if (size > limit) {
			// Not awaited: the sender may never take notice.
			reader.cancel().catch(() => {})
			return undefined
		}
		chunks.push(value)
	}
	const whole = new Uint8Array(size)
	let end = 0
	for (const chunk of chunks) {
		whole.set(chunk, end)
		end += chunk.byteLength
	}
	return whole
}

/** Throws `aborted` when the signal ends it. */
async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
	const { promise, resolve } = Promise.withResolvers<void>()
	const timer = setTimeout(resolve, milliseconds)
	const stop = () => resolve()
	signal?.addEventListener('abort', stop, { once: true })
	if (signal?.aborted) stop()
	await promise
	clearTimeout(timer)
	signal?.removeEventListener('abort', stop)
	if (signal?.aborted) throw new ChatBotError('aborted')
}
