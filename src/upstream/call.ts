/** Calls the upstream of a route: within limits of concurrency and time, and again where that is safe. */
import { asGatewayError, type ErrorCode, GatewayError } from '../errors.ts'
import type { Fields, WireRequest, WireResponse } from '../format/index.ts'
import { limits } from '../limits.ts'
import type { ObserveCall, TraceContext } from '../observer/index.ts'
import type { OutgoingCall, Reads, Runtime } from '../runtime.ts'
import type { Endpoint } from './endpoint.ts'
import { readRetryAfter } from './retry-after.ts'
import { signature } from './signature.ts'
import type { Upstream } from './upstream.ts'
import { upstreamUrl } from './upstream-url.ts'

/** Milliseconds of Retry-After that turns respect; users do not wait for an hour because of one header. */
const longestRest = 60_000

/** Milliseconds before each attempt at an endpoint that was tried before; there are no more attempts than these. */
const pauses = [0, 100, 300] as const

/** How long a call may take, when it is repeated, and what is read of its answer. */
export interface CallLimits {
	/** The turn's id, the same for every attempt. */
	readonly id: string
	/** When the answer must have been read, as `Runtime.elapsed`. */
	readonly until: number
	/**
	 * Which calls are repeated: none, where the caller has a schedule of its own; those that were certainly not sent; or
	 * also those that got no response, on routes whose upstream treats calls with the same id as one.
	 */
	readonly repeat: 'nothing' | 'unsent' | 'unanswered'
	/** Whether the reply is wanted, or only to know that the upstream took the call. */
	readonly reads: Reads
	/** Sees each attempt begin. Undefined: nobody watches. */
	readonly observe?: ObserveCall | undefined
}

/**
 * Calls the upstream if its concurrency limit allows. Throws `overloaded`, `upstream-circuit-open`,
 * `upstream-unreachable`, `upstream-not-public`, `upstream-timeout`, `upstream-status`, `upstream-redirect`,
 * `upstream-reply-too-large` or `upstream-reply-invalid`.
 */
export async function callUpstream(
	upstream: Upstream,
	request: WireRequest,
	limits: CallLimits,
	runtime: Runtime,
): Promise<WireResponse> {
	if (!upstream.concurrencyLimit.tryAcquire()) throw new GatewayError('overloaded', { retryAfter: 1 })
	let tried: readonly Endpoint[] = []
	let endpoints: readonly Endpoint[] = upstream.endpoints
	let failure: GatewayError | undefined
	try {
		// One endpoint after the other, until one has answered or has failed in a way that must not be repeated.
		for (let n = 0; n < pauses.length; n++) {
			const choice = choose(endpoints, tried, pauses[n] ?? 0, limits, runtime.elapsed())
			if (!choice) break
			const { endpoint, wait } = choice
			if (wait > 0) {
				await sleep(wait)
				// Other calls may have opened its circuit meanwhile.
				if (endpoint.breaker.retryIn(runtime.elapsed()) > 0) continue
			}
			// Before the proof is awaited, so that other calls see that an open circuit has its probe.
			const timeout = beginAttempt(endpoint, limits, runtime)
			const proved = proves(upstream) ? await prove(upstream, request, limits.id, runtime) : request
			const observed = limits.observe?.({
				method: request.method,
				origin: upstream.send ? undefined : originOf(endpoint),
			})
			try {
				const response = await send(upstream, endpoint, proved, timeout, limits, observed?.trace, runtime)
				if (response.status < 200 || response.status > 299) throw statusError(response, runtime)
				recordSuccess(endpoint, runtime)
				observed?.end?.({ status: response.status, error: undefined })
				return response
			} catch (thrown) {
				failure = asGatewayError(thrown)
				recordFailure(endpoint, failure, runtime)
				observed?.end?.({ status: failure.context.upstreamStatus, error: failure.code })
				if (!mayRepeat(failure, limits)) throw failure
				tried = tried.concat(endpoint)
				// A name that resolves to another address each time counts on being resolved again.
				if (failure.code === 'upstream-not-public') endpoints = endpoints.filter((each) => each !== endpoint)
			}
		}
		throw failure ?? new GatewayError('upstream-circuit-open', { retryAfter: secondsUntilRetry(upstream, runtime) })
	} finally {
		upstream.concurrencyLimit.release()
	}
}

/** The first endpoint that may be called and was not tried; else one to try again, within its budget, if there is time for a pause. */
function choose(
	endpoints: readonly Endpoint[],
	tried: readonly Endpoint[],
	pause: number,
	{ until }: CallLimits,
	now: number,
): { readonly endpoint: Endpoint; readonly wait: number } | undefined {
	for (const endpoint of endpoints) {
		if (tried.includes(endpoint) || endpoint.breaker.retryIn(now) > 0) continue
		endpoint.budget.earn()
		return { endpoint, wait: 0 }
	}
	if (now + pause >= until) return undefined
	const again = endpoints.find(({ breaker, budget }) => breaker.retryIn(now) === 0 && budget.spend())
	return again && { endpoint: again, wait: pause }
}

function mayRepeat({ code, unsent }: GatewayError, { repeat }: CallLimits): boolean {
	if (repeat === 'nothing') return false
	return unsent || (repeat === 'unanswered' && code === 'upstream-unreachable')
}

function secondsUntilRetry({ endpoints }: Upstream, { elapsed }: Runtime): number {
	const now = elapsed()
	return Math.max(1, Math.ceil(Math.min(...endpoints.map(({ breaker }) => breaker.retryIn(now))) / 1000))
}

/** Whether calls of an upstream carry a proof of who sends them, beside a secret in the URL. */
function proves({ secrets, adapter, signingKeys }: Upstream): boolean {
	return signingKeys.length > 0 || (secrets.length > 0 && adapter.auth !== undefined)
}

/** The request, in which `auth` has put its proof, with the signature. */
async function prove(upstream: Upstream, request: WireRequest, id: string, runtime: Runtime): Promise<WireRequest> {
	const [secret] = upstream.secrets
	const { auth } = upstream.adapter
	const proved = secret !== undefined && auth ? await auth.sign(request, secret, runtime.crypto) : request
	if (upstream.signingKeys.length === 0) return proved
	return { ...proved, headers: proved.headers.concat(await signature(upstream, id, proved.body, runtime)) }
}

/** Begins a call to an endpoint. Returns the milliseconds that it may take; throws `upstream-timeout` where none are left. */
function beginAttempt({ breaker }: Endpoint, { until }: CallLimits, { elapsed }: Runtime): number {
	const startedAt = elapsed()
	// The upstream would process a call that is sent too late, for an answer that is not used. Not sending it says nothing
	// about the upstream's health.
	if (startedAt >= until) throw new GatewayError('upstream-timeout')
	breaker.onStart(startedAt)
	return until - startedAt
}

/**
 * Sends a request, whose response may take `timeout` milliseconds. A function of its own, so that the outgoing call is not
 * kept in memory while the response is awaited.
 */
function send(
	upstream: Upstream,
	endpoint: Endpoint,
	request: WireRequest,
	timeout: number,
	{ reads }: CallLimits,
	trace: TraceContext | undefined,
	runtime: Runtime,
): Promise<WireResponse> {
	const call = outgoingCall(upstream, endpoint, request, { reads, timeout })
	const traced = trace ? withTrace(call, trace) : call
	return upstream.send ? upstream.send(traced) : runtime.send(traced)
}

/** Headers of every call to an upstream. */
const ownHeaders: Fields = [
	['accept', 'application/json'],
	['accept-encoding', 'identity'],
	['user-agent', 'dragoman'],
]

/** The request with the upstream's own headers, and the secret of a format without `auth`. */
function outgoingCall(
	{ secrets: [secret], adapter, headers: added, onlyPublic }: Upstream,
	endpoint: Endpoint,
	{ method, query, headers, body }: WireRequest,
	{ reads, timeout }: Pick<OutgoingCall, 'reads' | 'timeout'>,
): OutgoingCall {
	return {
		url: upstreamUrl(endpoint.url, query, adapter.auth ? undefined : secret),
		method,
		headers: [...headers, ...added, ...ownHeaders],
		body,
		timeout,
		reads,
		maxBytes: limits.replyBytes.value,
		onlyPublic,
	}
}

function withTrace(call: OutgoingCall, { traceparent, tracestate }: TraceContext): OutgoingCall {
	const headers: Fields = tracestate === undefined ? [] : [['tracestate', tracestate]]
	return { ...call, headers: [...call.headers, ['traceparent', traceparent], ...headers] }
}

function statusError({ status: upstreamStatus, headers }: WireResponse, { now }: Runtime): GatewayError {
	if (upstreamStatus >= 300 && upstreamStatus <= 399) return new GatewayError('upstream-redirect', { upstreamStatus })
	// RFC 9110 gives the header a meaning with 503, RFC 6585 with 429.
	const asked = upstreamStatus === 429 || upstreamStatus === 503 ? readRetryAfter(headers, now()) : undefined
	return new GatewayError('upstream-status', {
		upstreamStatus,
		...(asked !== undefined && { retryAfter: Math.ceil(asked / 1000) }),
	})
}

/** What counts against an endpoint, beside a status of 5xx. */
const unanswered: ReadonlySet<ErrorCode> = new Set(['upstream-unreachable', 'upstream-not-public', 'upstream-timeout'])

function recordSuccess(endpoint: Endpoint, runtime: Runtime): void {
	if (endpoint.breaker.onSuccess()) logState(endpoint, 'recovered', runtime)
}

function recordFailure(endpoint: Endpoint, { code, context }: GatewayError, runtime: Runtime): void {
	// A fault of ours says nothing about the endpoint.
	if (code === 'internal') return
	const { upstreamStatus = 0, retryAfter } = context
	const { breaker } = endpoint
	const now = runtime.elapsed()
	if (retryAfter !== undefined && breaker.backOff(now, Math.min(longestRest, retryAfter * 1000))) {
		logState(endpoint, 'backing off', runtime)
	}
	if (!unanswered.has(code) && upstreamStatus < 500) recordSuccess(endpoint, runtime)
	else if (breaker.onFailure(now)) logState(endpoint, 'circuit open', runtime)
}

function logState(endpoint: Endpoint, state: 'circuit open' | 'backing off' | 'recovered', runtime: Runtime): void {
	const level = state === 'recovered' ? 'info' : 'warn'
	runtime.log({ level, msg: 'upstream', origin: originOf(endpoint), state })
}

/** Path and query may hold secrets. */
function originOf({ url }: Endpoint): string | undefined {
	return URL.parse(url)?.origin
}

function sleep(milliseconds: number): Promise<void> {
	return new Promise((done) => setTimeout(done, milliseconds))
}
