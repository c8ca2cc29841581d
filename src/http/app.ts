/** The gateway as a Hono app: which route a call is for, how much of it is read, and how errors look from outside. */
import { Hono } from 'hono'
import { asGatewayError, GatewayError } from '../errors.ts'
import { type Fields, jsonResponse, problemResponse, type WireResponse } from '../format/index.ts'
import type { Route } from '../route.ts'
import type { Runtime } from '../runtime.ts'
import { takeTurn } from '../turn/index.ts'
import { routeCapabilities } from './capabilities.ts'
import { readBody } from './read-body.ts'
import { createRejectionLog } from './rejection-log.ts'
import { routeTable } from './route-table.ts'

export interface AppOptions {
	readonly routes: readonly Route[]
	readonly runtime: Runtime
	/** May new calls come? Absent: always. */
	ready?(): boolean
	/** The header fields of a request, names in lower case. Absent: those of its `headers`, where repeated names are joined. */
	fieldsOf?(request: Request, env: unknown): Fields
	/** The target of a request as it was sent (RFC 9112, section 3.2). Absent: what its `url` makes of it. */
	targetOf?(request: Request, env: unknown): string
}

/** Answers on the routes' paths, `/healthz`, `/readyz` and `/-/carries/NAME`; everything else is one and the same 404. */
export function createApp({
	routes,
	runtime,
	ready = () => true,
	fieldsOf = joinedFields,
	targetOf = normalTarget,
}: AppOptions): Hono {
	const table = routeTable(routes, runtime)
	const byName = new Map(routes.map((route) => [route.name, route]))
	const logRejection = createRejectionLog(runtime)
	const app = new Hono()

	app.get('/healthz', () => toResponse(jsonResponse({ status: 'ok' })))
	app.get('/readyz', () =>
		toResponse(ready() ? jsonResponse({ status: 'ready' }) : jsonResponse({ status: 'not ready' }, 503)),
	)
	app.get('/-/carries/:route', (c) => {
		const route = byName.get(c.req.param('route'))
		if (!route) throw new GatewayError('not-found')
		return toResponse(jsonResponse(routeCapabilities(route)))
	})
	app.all('*', async (c) => {
		const at = runtime.elapsed()
		const request = c.req.raw
		const { path, query } = partsOf(targetOf(request, c.env))
		const { route, pathSecret, decoy, ...limits } = table(path)
		const { body, refusal: unread } = await readBody(request, limits)
		const call = { method: request.method, query, headers: fieldsOf(request, c.env), body }
		const { answer, refusal } = await takeTurn(route, { call, pathSecret, at, refusal: unread }, runtime).catch(
			// An adapter may throw anything, and Hono passes only an Error on to `onError`.
			(thrown: unknown) => Promise.reject(asGatewayError(thrown)),
		)
		if (refusal) logRejection(refusal.code, decoy ? undefined : route.name)
		return toResponse(answer)
	})
	app.onError((thrown) => {
		const error = asGatewayError(thrown)
		if (error.code === 'internal')
			runtime.log({ level: 'error', msg: 'call', error: error.code, cause: stackOf(error.cause ?? thrown) })
		return toResponse(problemResponse(error))
	})
	return app
}

function normalTarget({ url }: Request): string {
	const { pathname, search } = new URL(url)
	return pathname + search
}

// Hono's own path is decoded, and a route must not be reached by two spellings.
function partsOf(target: string): { path: string; query: Fields } {
	const mark = target.indexOf('?')
	if (mark === -1) return { path: target, query: [] }
	return { path: target.slice(0, mark), query: [...new URLSearchParams(target.slice(mark + 1))] }
}

function stackOf(thrown: unknown): string | undefined {
	return thrown instanceof Error ? thrown.stack : undefined
}

function joinedFields(request: Request): Fields {
	return [...request.headers]
}

function toResponse({ status, headers, body }: WireResponse): Response {
	const fields: { [name: string]: string } = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
	for (const [name, value] of headers) fields[name] = value
	// With these the standard allows no body, not even an empty one.
	const bodiless = status === 204 || status === 205 || status === 304
	if (bodiless || body !== '') return new Response(bodiless ? null : body, { status, headers: fields })
	// An empty text would get a content type of the runtime's own, and no body no length.
	return new Response(null, { status, headers: { ...fields, 'content-length': '0' } })
}
