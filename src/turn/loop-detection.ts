/**
 * Ends calls that come back to the route they came from: every call to an upstream bears the mark of its route, and
 * those of the routes it came through, in `CDN-Loop` (RFC 8586). docs/decisions/040-a-loop-is-a-route-twice.md has why.
 */
import { GatewayError } from '../errors.ts'
import type { Crypto, WireRequest } from '../format/index.ts'
import type { Route } from '../route.ts'

/** Routes of this and other gateways that a call may have come through. */
const maxRoutes = 8

const header = 'cdn-loop'
const markForm = /^dragoman-[\da-f]{16}$/

/** Throws `loop-detected` for a call that came through this route before, or through too many. */
export async function refuseLoop(call: WireRequest, route: Route, crypto: Crypto): Promise<void> {
	const marks = marksOf(call)
	if (marks.length >= maxRoutes) throw new GatewayError('loop-detected', { limit: maxRoutes })
	if (marks.length > 0 && marks.includes(await markOf(route, crypto))) throw new GatewayError('loop-detected')
}

/** The request that this call causes, with the marks of all routes that led to it. */
export async function withMark(
	request: WireRequest,
	call: WireRequest,
	route: Route,
	crypto: Crypto,
): Promise<WireRequest> {
	const marks = [...marksOf(call), await markOf(route, crypto)]
	return { ...request, headers: [...request.headers, [header, marks.join(', ')]] }
}

// Marks of others than gateways like this one are not ours to hand on: no header is copied.
function marksOf({ headers }: WireRequest): string[] {
	const values = headers.flatMap(([name, value]) => (name === header ? value.split(',') : []))
	return values.map((value) => value.trim()).filter((value) => markForm.test(value))
}

// Marks, not promises of them: on Workers a call must not wait for what another call began.
const known = new WeakMap<Route, string>()

/** The same in every process that has this route, and another one where a route of this name leads elsewhere. */
async function markOf(route: Route, crypto: Crypto): Promise<string> {
	const mark = known.get(route) ?? (await digestOf(route, crypto))
	known.set(route, mark)
	return mark
}

async function digestOf({ name, path, upstream }: Route, crypto: Crypto): Promise<string> {
	// Without the query, where a secret may stand that is short enough to be found by trying.
	const [url] = upstream.endpoints[0].url.split('?')
	const digest = await crypto.sha256(JSON.stringify([name, path, url]))
	return `dragoman-${digest.slice(0, 16)}`
}
