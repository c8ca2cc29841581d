/** One call to the API of a platform: what has to be looked up first, the call itself, and what the answer means. */
import { asGatewayError, type ErrorContext, GatewayError } from '../errors.ts'
import type { PushCall, PushTarget, WireResponse } from '../format/index.ts'
import type { ObserveCall } from '../observer/index.ts'
import type { Route } from '../route.ts'
import type { PushDelivery, Reads, Runtime } from '../runtime.ts'
import { pushTarget } from '../turn/index.ts'
import { readRetryAfter } from '../upstream/index.ts'

/** Milliseconds that the API has for a call, or for a lookup. */
const timeout = 10_000
/** Bytes of an answer to a lookup, and of a refusal. */
const maxBytes = { reply: 1024 * 1024, refusal: 16 * 1024 }

/** The API did not accept a call. */
export class PushError extends GatewayError {
	/** The API's own words, or what is wrong with its answer to a lookup. */
	readonly reason: string | undefined

	constructor(code: 'push-failed' | 'push-refused', context: ErrorContext, reason?: string) {
		super(code, context)
		this.reason = reason
	}
}

/** Resolves when the API has accepted the call. `observe` sees it, and the lookup before it. Rejects with a PushError, or with what the adapter throws. */
export async function pushCall(
	delivery: PushDelivery,
	route: Route,
	runtime: Pick<Runtime, 'send' | 'now'>,
	observe?: ObserveCall,
): Promise<void> {
	const { address, call, platform: name } = delivery
	const platform = route.platforms.find((each) => each.name === name)
	if (!platform) throw new GatewayError('push-refused')
	const target = pushTarget(platform, address)
	const send: Send = (call, reads) =>
		observed(call, target, observe, () => sendCall(call, reads, target, route, runtime))
	await send(await completed(call, target, send), 'refusal')
}

type Send = (call: PushCall, reads: Exclude<Reads, 'status'>) => Promise<WireResponse>

/** Shows a call to an observer. Of its address only the origin: a path may hold ids of users. */
async function observed(
	{ method }: PushCall,
	{ api }: PushTarget,
	observe: ObserveCall | undefined,
	send: () => Promise<WireResponse>,
): Promise<WireResponse> {
	const seeing = observe?.({ method, origin: URL.parse(api)?.origin })
	try {
		const answer = await send()
		seeing?.end?.({ status: answer.status, error: undefined })
		return answer
	} catch (thrown) {
		const { code, context } = asGatewayError(thrown)
		seeing?.end?.({ status: context.apiStatus, error: code })
		throw thrown
	}
}

/** The call with what its lookup found. */
async function completed(call: PushCall, target: PushTarget, send: Send): Promise<PushCall> {
	if (!call.lookup) return call
	const lookup = { method: 'GET', path: call.lookup.path, headers: [], body: '' }
	const answer = await send(lookup, 'reply')
	const apiStatus = answer.status
	let found: PushCall | undefined
	try {
		found = target.complete?.(call, answer)
	} catch (thrown) {
		// Such as a page of a server in front of the API, which is gone after a while.
		const because = asGatewayError(thrown).code
		throw new PushError('push-failed', { apiStatus, because }, reasons.unreadable)
	}
	if (!found) throw new PushError('push-refused', { apiStatus }, reasons.nameless)
	return found
}

/** What is wrong with an answer to a lookup that has a good status. */
const reasons = {
	unreadable: 'the answer to the lookup is not one that the API documents',
	nameless: 'no entry in the answer to the lookup has the name that the reply gives',
}

async function sendCall(
	{ method, path, headers, body }: PushCall,
	reads: Exclude<Reads, 'status'>,
	target: PushTarget,
	{ upstream }: Route,
	{ send, now }: Pick<Runtime, 'send' | 'now'>,
): Promise<WireResponse> {
	let answer: WireResponse
	try {
		answer = await send({
			url: target.api + path,
			method,
			headers: [
				...target.headers,
				...headers,
				['accept', 'application/json'],
				['accept-encoding', 'identity'],
				['user-agent', 'dragoman'],
			],
			body,
			timeout,
			reads,
			maxBytes: maxBytes[reads],
			onlyPublic: upstream.onlyPublic,
		})
	} catch (thrown) {
		throw new PushError('push-failed', { because: asGatewayError(thrown).code })
	}
	const verdict = target.judge(answer)
	if (verdict.result === 'accepted') return answer
	const apiStatus = answer.status
	const reason = verdict.reason === undefined ? undefined : oneLine(verdict.reason, target)
	if (verdict.result === 'refused') throw new PushError('push-refused', { apiStatus }, reason)
	const asked = readRetryAfter(answer.headers, now())
	const retryAfter = asked === undefined ? {} : { retryAfter: Math.ceil(asked / 1000) }
	throw new PushError('push-failed', { apiStatus, ...retryAfter }, reason)
}

/** UTF-16 units of a reason. */
const maxReason = 200
/** UTF-16 units from which a word of a header may be a credential. */
const shortestCredential = 8

/** The reason on one line, unless it repeats a credential. */
function oneLine(reason: string, { headers }: PushTarget): string | undefined {
	const credentials = headers.flatMap(([, value]) =>
		value.split(/\s+/).filter(({ length }) => length >= shortestCredential),
	)
	if (credentials.some((each) => reason.includes(each))) return undefined
	const line = reason.replace(/[\s\p{C}]+/gu, ' ').trim()
	return line.length > maxReason ? `${line.slice(0, maxReason).toWellFormed()}…` : line
}
