/** Calls the one upstream of a route: what it is sent, how long it has, what of its answer is let in. */
import { asGatewayError, type ErrorCode, GatewayError } from '../errors.ts'
import type { WireRequest, WireResponse } from '../format/index.ts'
import type { Runtime } from '../runtime.ts'
import type { Endpoint } from './endpoint.ts'
import { readRetryAfter } from './retry-after.ts'
import { signature } from './signature.ts'
import type { Upstream } from './upstream.ts'
import { upstreamUrl } from './upstream-url.ts'

/** Bytes of an answer that are read, which is ten times what the strictest known platform takes. */
const maxReplyBytes = 1024 * 1024

/** Milliseconds of rest that turns grant to an upstream; users do not wait for an hour because of one header. */
const longestRest = 60_000

/** Milliseconds before a call that was not sent is made again. */
const pauses = [100, 300] as const

export interface CallLimits {
	/** The turn's id, the same for every attempt. */
	readonly id: string
	/** When the answer must have been read, as `Runtime.elapsed`. */
	readonly until: number
	/**
	 * What is called again: nothing, for whoever has a schedule of his own; calls that certainly were not sent; or
	 * those, too, whose answer never began, on routes where the upstream takes a repeated call for one.
	 */
	readonly repeat: 'nothing' | 'unsent' | 'unanswered'
}

/**
 * A call within the attempt's limits of time and size, repeated as the attempt allows. Throws `overloaded`,
 * `upstream-circuit-open`, `upstream-unreachable`, `upstream-not-public`, `upstream-timeout`, `upstream-status`,
 * `upstream-redirect`, `upstream-reply-too-large` or `upstream-reply-invalid`.
 */
export async function callUpstream(
	upstream: Upstream,
	request: WireRequest,
	attempt: CallLimits,
	runtime: Runtime,
): Promise<WireResponse> {
	if (!upstream.concurrencyLimit.tryAcquire()) throw new GatewayError('overloaded', { retryAfter: 1 })
	try {
		return await callRepeatedly(upstream, request, attempt, runtime)
	} finally {
		upstream.concurrencyLimit.release()
	}
}

async function callRepeatedly(
	upstream: Upstream,
	request: WireRequest,
	attempt: CallLimits,
	runtime: Runtime,
): Promise<WireResponse> {
	const tried: Endpoint[] = []
	let targets: readonly Endpoint[] = upstream.endpoints
	let failure: GatewayError | undefined
	for (const pause of [0, ...pauses]) {
		const awake = awakeOf(targets, runtime)
		if (awake.length === 0) break
		// Another target needs no pause.
		if (tried.length > 0 && !freshOf(awake, tried)) {
			if (runtime.elapsed() + pause >= attempt.until) break
			await sleep(pause)
		}
		const target = choose(targets, tried, runtime)
		if (!target) break
		tried.push(target)
		try {
			return await callEndpoint(upstream, target, request, attempt, runtime)
		} catch (thrown) {
			failure = asGatewayError(thrown)
			if (!mayRepeat(failure, attempt)) throw failure
			// To ask again where its name leads is what a name waits for that leads elsewhere each time.
			if (failure.code === 'upstream-not-public') targets = targets.filter((each) => each !== target)
		}
	}
	throw failure ?? new GatewayError('upstream-circuit-open', { retryAfter: secondsOfRest(upstream, runtime) })
}

function awakeOf(targets: readonly Endpoint[], { elapsed }: Runtime): Endpoint[] {
	const now = elapsed()
	return targets.filter(({ breaker }) => breaker.retryIn(now) === 0)
}

function freshOf(targets: readonly Endpoint[], tried: readonly Endpoint[]): Endpoint | undefined {
	return targets.find((target) => !tried.includes(target))
}

/** The first that is not left alone; one that was tried comes last, and only within its budget. */
function choose(targets: readonly Endpoint[], tried: readonly Endpoint[], runtime: Runtime): Endpoint | undefined {
	const awake = awakeOf(targets, runtime)
	const fresh = freshOf(awake, tried)
	fresh?.budget.earn()
	return fresh ?? awake.find(({ budget }) => budget.spend())
}

function mayRepeat({ code, unsent }: GatewayError, { repeat }: CallLimits): boolean {
	if (repeat === 'nothing') return false
	return unsent || (repeat === 'unanswered' && code === 'upstream-unreachable')
}

function secondsOfRest({ endpoints: targets }: Upstream, { elapsed }: Runtime): number {
	const now = elapsed()
	return Math.max(1, Math.ceil(Math.min(...targets.map(({ breaker }) => breaker.retryIn(now))) / 1000))
}

/** What counts against an upstream, beside its own word that it failed. */
const unanswered: ReadonlySet<ErrorCode> = new Set(['upstream-unreachable', 'upstream-not-public', 'upstream-timeout'])

async function callEndpoint(
	upstream: Upstream,
	{ url, breaker }: Endpoint,
	request: WireRequest,
	attempt: CallLimits,
	runtime: Runtime,
): Promise<WireResponse> {
	const tell = (level: 'info' | 'warn', state: 'circuit open' | 'backing off' | 'recovered') => {
		// Its path and query may hold secrets.
		runtime.log({ level, msg: 'upstream', origin: originOf(url), state })
	}
	const startedAt = runtime.elapsed()
	// Whatever is sent too late is done by the upstream, and told to nobody; and what is not sent says nothing of it.
	if (startedAt >= attempt.until) throw new GatewayError('upstream-timeout')
	breaker.onStart(startedAt)
	try {
		const response = await callOnce(upstream, url, request, attempt, runtime)
		if (breaker.onSuccess()) tell('info', 'recovered')
		return response
	} catch (thrown) {
		const { code, context } = asGatewayError(thrown)
		const { upstreamStatus = 0, retryAfter } = context
		const now = runtime.elapsed()
		if (retryAfter !== undefined && breaker.backOff(now, Math.min(longestRest, retryAfter * 1000)))
			tell('warn', 'backing off')
		if (unanswered.has(code) || upstreamStatus >= 500) {
			if (breaker.onFailure(now)) tell('warn', 'circuit open')
		} else if (breaker.onSuccess()) tell('info', 'recovered')
		throw thrown
	}
}

async function callOnce(
	upstream: Upstream,
	base: string,
	request: WireRequest,
	{ id, until }: CallLimits,
	runtime: Runtime,
): Promise<WireResponse> {
	const [secret] = upstream.secrets
	const { auth } = upstream.adapter
	const proven = secret !== undefined && auth ? await auth.sign(request, secret, runtime.crypto) : request
	const url = upstreamUrl(base, proven.query, auth ? undefined : secret)
	const send = upstream.send ?? runtime.send
	const limit = new AbortController()
	const timer = setTimeout(() => limit.abort(), until - runtime.elapsed())
	try {
		const response = await send({
			url,
			method: proven.method,
			headers: [
				...proven.headers,
				...upstream.headers,
				['accept', 'application/json'],
				['accept-encoding', 'identity'],
				['user-agent', 'dragoman'],
				...(await signature(upstream, id, proven.body, runtime)),
			],
			body: proven.body,
			signal: limit.signal,
			maxBytes: maxReplyBytes,
			onlyPublic: upstream.onlyPublic,
		})
		if (response.status >= 200 && response.status <= 299) return response
		throw failureOf(response, runtime)
	} finally {
		// Not AbortSignal.timeout: its timer would outlive the turn, and there are thousands of turns a second.
		clearTimeout(timer)
	}
}

function failureOf({ status: upstreamStatus, headers }: WireResponse, { now }: Runtime): GatewayError {
	if (upstreamStatus >= 300 && upstreamStatus <= 399) return new GatewayError('upstream-redirect', { upstreamStatus })
	// RFC 9110 gives the header a meaning with 503, RFC 6585 with 429.
	const asked = upstreamStatus === 429 || upstreamStatus === 503 ? readRetryAfter(headers, now()) : undefined
	return new GatewayError('upstream-status', {
		upstreamStatus,
		...(asked !== undefined && { retryAfter: Math.ceil(asked / 1000) }),
	})
}

function originOf(url: string): string | undefined {
	return URL.parse(url)?.origin
}

function sleep(milliseconds: number): Promise<void> {
	return new Promise((done) => setTimeout(done, milliseconds))
}
