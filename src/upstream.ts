/** Calls the one upstream of a route: what it is sent, how long it has, what of its answer is let in. */
import type { Fields, WireRequest, WireResponse } from './codec.ts'
import { GatewayError } from './errors.ts'
import type { Upstream } from './route.ts'
import type { Runtime } from './runtime.ts'

/** Bytes of an answer that are read, which is ten times what the strictest known platform takes. */
const maxReplyBytes = 1024 * 1024

export interface Attempt {
	/** The turn's id, the same for every attempt. */
	readonly id: string
	/** When the answer must have been read, as `Runtime.elapsed`. */
	readonly until: number
}

/**
 * One call within the attempt's limits of time and size. Throws `upstream-unreachable`, `upstream-timeout`,
 * `upstream-status`, `upstream-redirect`, `upstream-reply-too-large` or `upstream-reply-invalid`.
 */
export async function callUpstream(
	upstream: Upstream,
	request: WireRequest,
	{ id, until }: Attempt,
	runtime: Runtime,
): Promise<WireResponse> {
	const [secret] = upstream.secrets
	const { auth } = upstream.adapter
	const proven = secret !== undefined && auth ? await auth.sign(request, secret, runtime.crypto) : request
	const url = addressOf(upstream.url, proven.query, auth ? undefined : secret)
	const timeLeft = until - runtime.elapsed()
	// Whatever is sent too late is done by the upstream, and told to nobody.
	if (timeLeft <= 0) throw new GatewayError('upstream-timeout')

	const send = upstream.send ?? runtime.send
	const limit = new AbortController()
	const timer = setTimeout(() => limit.abort(), timeLeft)
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
		})
		if (response.status >= 200 && response.status <= 299) return response
		const redirects = response.status >= 300 && response.status <= 399
		throw new GatewayError(redirects ? 'upstream-redirect' : 'upstream-status', { upstreamStatus: response.status })
	} finally {
		// Not AbortSignal.timeout: its timer would outlive the turn, and there are thousands of turns a second.
		clearTimeout(timer)
	}
}

/** The upstream's URL with the call's query behind its own, and the secret of formats without `auth` as last segment. */
export function addressOf(base: string, query: WireRequest['query'], pathSecret: string | undefined): string {
	if (query.length === 0 && pathSecret === undefined) return base
	const url = new URL(base)
	if (pathSecret !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(pathSecret)}`
	// As text: URLSearchParams would spell the upstream's own query anew.
	const added = new URLSearchParams(query.map(([name, value]) => [name, value])).toString()
	url.search = [url.search.slice(1), added].filter((part) => part !== '').join('&')
	return url.href
}

/** Standard Webhooks: `webhook-id`, `webhook-timestamp` in seconds, one `v1` signature a key. None without keys. */
async function signature(upstream: Upstream, id: string, body: string, runtime: Runtime): Promise<Fields> {
	if (upstream.signingKeys.length === 0) return []
	const timestamp = Math.floor(runtime.now() / 1000)
	const macs = await Promise.all(
		upstream.signingKeys.map((key) => runtime.crypto.hmac(key, `${id}.${timestamp}.${body}`)),
	)
	return [
		['webhook-id', id],
		['webhook-timestamp', String(timestamp)],
		['webhook-signature', macs.map((mac) => `v1,${mac}`).join(' ')],
	]
}
