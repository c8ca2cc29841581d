/**
 * Ends calls that come back to the route they came from: every call to an upstream carries the mark of its route, and
 * those of the routes it came through, in `CDN-Loop` (RFC 8586). docs/decisions/040-a-loop-is-a-route-twice.md has why.
 */
import { GatewayError } from '../errors.ts'
import type { Crypto, WireRequest } from '../format/index.ts'
import type { Route } from '../route.ts'

/** Routes of this and other gateways that a call may have come through. */
const maxRoutes = 8

const header = 'cdn-loop'
const markForm = /^dragoman-[\da-f]{16}$/

const noMarks: readonly string[] = []

/** The marks of the routes that a call came through, first to last. Marks of other software are not passed on. */
export function readMarks({ headers }: WireRequest): readonly string[] {
	// Nearly no call has one.
	if (!headers.some(([name]) => name === header)) return noMarks
	const values = headers.flatMap(([name, value]) => (name === header ? value.split(',') : []))
	return values.map((value) => value.trim()).filter((value) => markForm.test(value))
}

/** `loop-detected` for a call that came through this route before, or through too many; else undefined. */
export async function findLoop(
	marks: readonly string[],
	route: Route,
	crypto: Crypto,
): Promise<GatewayError | undefined> {
	if (marks.length >= maxRoutes) return new GatewayError('loop-detected', { limit: maxRoutes })
	if (marks.includes(await markOf(route, crypto))) return new GatewayError('loop-detected')
	return undefined
}

/** A request to the upstream, with the marks of all routes that led to it, its own last. */
export function withMarks(request: WireRequest, marks: readonly string[], own: string): WireRequest {
	const mark = [header, [...marks, own].join(', ')] as const
	// Not spread: an array that grows has room for sixteen more, for as long as the upstream is waited for.
	return { ...request, headers: request.headers.concat([mark]) }
}

// Marks, not promises of them: on Workers a call must not wait for what another call began.
const known = new WeakMap<Route, string>()

/** The mark of a route: the same in every process that has this route, and another one where a route of this name leads elsewhere. */
export function markOf(route: Route, crypto: Crypto): string | Promise<string> {
	return known.get(route) ?? makeMark(route, crypto)
}

async function makeMark(route: Route, crypto: Crypto): Promise<string> {
	const { name, path, upstream } = route
	// Without the query, which may hold a secret that is short enough to be found by trying.
	const [url] = upstream.endpoints[0].url.split('?')
	const digest = await crypto.sha256(JSON.stringify([name, path, url]))
	const mark = `dragoman-${digest.slice(0, 16)}`
	known.set(route, mark)
	return mark
}
